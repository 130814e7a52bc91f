// The Sieve engine's face: compile a script, run it on a message (RFC 5228 and its extensions).
//
//   Diagnostics diagnostics;
//   auto script = compile(text, {}, diagnostics);
//   if (script) Outcome outcome = run(*script, {octets, envelope}, host, {});
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sieve/action.h"
#include "sieve/code.h"
#include "sieve/diagnostic.h"
#include "sieve/host.h"
#include "sieve/limits.h"

namespace postern::sieve {

/// What the compiler needs to know of the site.
struct Environment {
  Limits limits;
  CapSet disabled;  // capabilities that the administrator took away
  /// Header fields that editheader may not touch, besides Received and Auto-Submitted.
  std::vector<std::string> protected_fields;
};

/// A checked script. Immutable: threads may share it. Holds no reference to its text.
struct Script {
  std::vector<Code> code;
  CapSet required;
  Environment environment;
};

/// @param diagnostics  gets errors and warnings, in order of their place
/// @return             nothing if there was an error
std::shared_ptr<const Script> compile(std::string_view text, const Environment& environment,
                                      Diagnostics& diagnostics);

/// The SMTP or LMTP envelope of the message (RFC 5228 §5.4, RFC 6009).
struct EnvelopeView {
  std::optional<std::string> from;  // "" is the null reverse-path; nothing: not known
  std::optional<std::string> to;
  std::string auth;    // AUTH= of MAIL (RFC 4954)
  std::string notify;  // NOTIFY= of RCPT (RFC 3461 §4.1)
  std::string orcpt;
  std::string ret;
  std::string envid;
  std::optional<std::int64_t> by_time;  // seconds (RFC 2852 §4)
  std::string by_mode;                  // "N" or "R"
  bool by_trace = false;
};

struct MessageView {
  std::string_view octets;  // CRLF or LF; must live until run() returns
  EnvelopeView envelope;
  std::vector<std::string> flags = {};  // that it has already: where setflag and others begin
};

/// Runs to the end without effects. Never fails: an error is in the Outcome, and its only action is
/// an implicit keep.
Outcome run(const Script& script, const MessageView& message, Host& host, const Limits& limits);

/// The words for ManageSieve's SIEVE line (RFC 5804 §1.7): names of all announced capabilities that
/// are not disabled, separated by spaces.
std::string capability_line(const CapSet& disabled);

}  // namespace postern::sieve
