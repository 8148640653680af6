#pragma once
// From a client's bytes to a request, within the limits and the time for it. What goes wrong is the
// exchange's problem; the connection is of no use after it.

#include "onnxop/server/client_stream.h"
#include "onnxop/server/exchange.h"
#include "onnxop/server/server_options.h"

namespace onnxop {

/// How much of a request is read at once while its head is not whole.
inline constexpr std::size_t kHeadRead = 4U << 10;

/// RFC 9112, section 2.2: some clients send one after a body.
void skip_empty_lines(Exchange& exchange);

/// Parses what has come. True when the head is whole, or has a problem; else it needs read_head().
bool parse_head(Exchange& exchange);
Awaitable<void> read_head(ClientStream& stream, const HttpLimits& limits, Exchange& exchange);

/// The same of the body, after the head.
bool parse_body(Exchange& exchange);
Awaitable<void> read_body(ClientStream& stream, const HttpLimits& limits, Exchange& exchange);

/// Until `bytes` of the body have come and stand in the request; the deadline is set already. True
/// when the body has ended.
Awaitable<bool> read_body_piece(ClientStream& stream, const HttpLimits& limits, Exchange& exchange,
                                std::size_t bytes);

/// The word that a client waits for that sent "Expect: 100-continue".
Awaitable<void> invite_body(ClientStream& stream, const HttpLimits& limits, Exchange& exchange);

}  // namespace onnxop
