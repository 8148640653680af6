#include "onnxop/server/status.h"

namespace onnxop {

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
      return 409;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kUnsupported:
      return 415;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kResourceExhausted:
      return 429;
    case ErrorCode::kDeadlineExceeded:
      return 504;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kDataLoss:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return 500;
}

MlflowStatus mlflow_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kFailedPrecondition:
      return {400, "INVALID_PARAMETER_VALUE"};
    case ErrorCode::kNotFound:
      return {404, "RESOURCE_DOES_NOT_EXIST"};
    case ErrorCode::kAlreadyExists:
      return {400, "RESOURCE_ALREADY_EXISTS"};
    case ErrorCode::kTooLarge:
      return {413, "INVALID_PARAMETER_VALUE"};
    case ErrorCode::kUnsupported:
      return {501, "NOT_IMPLEMENTED"};
    case ErrorCode::kUnavailable:
      return {503, "TEMPORARILY_UNAVAILABLE"};
    case ErrorCode::kResourceExhausted:
      return {429, "RESOURCE_EXHAUSTED"};
    case ErrorCode::kDeadlineExceeded:
      return {504, "DEADLINE_EXCEEDED"};
    case ErrorCode::kUnauthenticated:
      return {401, "UNAUTHENTICATED"};
    case ErrorCode::kPermissionDenied:
      return {403, "PERMISSION_DENIED"};
    case ErrorCode::kDataLoss:
      return {500, "DATA_LOSS"};
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return {500, "INTERNAL_ERROR"};
}

std::string_view storage_fault_text(StorageFault fault) {
  return fault == StorageFault::kFull
             ? "the disk under the server's store is full: nothing can be stored until there is "
               "room on it"
             : "the server may not write to its store, which is read-only or another's";
}

std::string_view mlflow_error_code(int status) {
  switch (status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
    case 405:
      return "ENDPOINT_NOT_FOUND";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 501:
      return "NOT_IMPLEMENTED";
    case 503:
      return "TEMPORARILY_UNAVAILABLE";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Internal Server Error";
  }
}

}  // namespace onnxop
