// What a stored message tells of its delivery, and reading one from standard input.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "sieve/sieve.h"

namespace postern::tools {

/// All of it; nothing if it is a terminal. @error io
Result<std::string> read_standard_input();

/// Sender and recipient as Return-Path (RFC 5321 §4.4) and Delivered-To say.
sieve::EnvelopeView stored_envelope(std::string_view message);

}  // namespace postern::tools
