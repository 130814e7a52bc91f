// AUTHENTICATE (RFC 5804 §2.1): a SASL exchange in quoted or literal base64 strings.
#pragma once

#include "sieve/managesieved/session.h"

namespace postern::managesieved {

void run_authenticate(Managesieve& session, const Request& request);

}  // namespace postern::managesieved
