#pragma once
// The complete Json type; include it in .cpp files only, it is slow to compile.

#include <nlohmann/json.hpp>

#include "onnxop/base/json.h"
