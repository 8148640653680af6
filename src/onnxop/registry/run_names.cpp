#include "onnxop/registry/run_names.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <unistd.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr auto kAdjectives = std::to_array<std::string_view>(
    {"able",    "agile",  "amber",   "ample", "azure",   "bold",   "brave",  "breezy",  "bright",
     "brisk",   "calm",   "candid",  "clear", "clever",  "cosy",   "crisp",  "curious", "daring",
     "deft",    "eager",  "earnest", "fair",  "fleet",   "fond",   "frank",  "fresh",   "gentle",
     "glad",    "golden", "grand",   "happy", "hardy",   "honest", "humble", "jolly",   "keen",
     "kind",    "lively", "loyal",   "lucid", "lucky",   "mellow", "merry",  "mild",    "misty",
     "modest",  "neat",   "nimble",  "noble", "patient", "placid", "plucky", "polite",  "proud",
     "quick",   "quiet",  "rapid",   "ready", "rosy",    "rustic", "salty",  "serene",  "sharp",
     "shy",     "silver", "sleek",   "smart", "snug",    "sober",  "solid",  "spry",    "steady",
     "still",   "stout",  "sunny",   "swift", "tender",  "tidy",   "trim",   "trusty",  "upbeat",
     "valiant", "vivid",  "warm",    "wary",  "wise",    "witty",  "zesty"});

constexpr auto kAnimals = std::to_array<std::string_view>(
    {"adder",  "auk",    "badger", "bat",    "bear",   "beaver", "bee",    "bison",  "boar",
     "bream",  "camel",  "carp",   "cat",    "cod",    "coot",   "crab",   "crane",  "crow",
     "deer",   "dingo",  "dove",   "duck",   "eagle",  "eel",    "egret",  "elk",    "falcon",
     "ferret", "finch",  "fox",    "frog",   "gecko",  "gibbon", "gnu",    "goat",   "goose",
     "grebe",  "grouse", "gull",   "hare",   "hawk",   "heron",  "horse",  "hyena",  "ibex",
     "ibis",   "jackal", "jay",    "kite",   "koala",  "lark",   "lemur",  "lion",   "llama",
     "loon",   "lynx",   "magpie", "marten", "mole",   "moose",  "moth",   "mouse",  "mule",
     "newt",   "otter",  "owl",    "panda",  "perch",  "pike",   "plover", "puffin", "puma",
     "quail",  "rabbit", "ram",    "raven",  "robin",  "rook",   "salmon", "seal",   "shrew",
     "shrike", "skua",   "snail",  "snipe",  "stag",   "stoat",  "stork",  "swan",   "tapir",
     "tern",   "tiger",  "toad",   "trout",  "turtle", "viper",  "vole",   "wasp",   "whale",
     "wolf",   "wren",   "yak",    "zebra"});

constexpr std::uint32_t kNumbers = 1000;

void fill_random(std::span<unsigned char> bytes) {
  if (getentropy(bytes.data(), bytes.size()) != 0) {
    fail(ErrorCode::kInternal, "no random bytes: {}", std::strerror(errno));
  }
}

}  // namespace

std::string made_up_name() {
  std::array<std::uint32_t, 3> drawn{};
  fill_random({reinterpret_cast<unsigned char*>(drawn.data()), sizeof drawn});
  return format("{}-{}-{}", kAdjectives[drawn[0] % kAdjectives.size()],
                kAnimals[drawn[1] % kAnimals.size()], drawn[2] % kNumbers);
}

std::string random_hex(std::size_t digits) {
  std::array<unsigned char, 32> bytes{};
  const std::span<unsigned char> used = std::span(bytes).first(digits / 2);
  fill_random(used);
  return format("{:02x}", join(used, ""));
}

}  // namespace onnxop
