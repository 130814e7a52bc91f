// Submission: mail that scripts send (redirect, vacation, notify, reject) goes to the site's MTA,
// over SMTP or through a sendmail command, as sieve.submission says.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "sieve/action.h"

namespace postern::site {

struct Submission {
  std::string sender;                   // of the envelope; empty: the null reverse-path
  std::vector<std::string> recipients;  // local-part@domain
  std::string message;                  // with CRLF line ends
  /// Passed on where the MTA offers DSN (RFC 3461) and DELIVERBY (RFC 2852); a command gets the
  /// former as -N and -R.
  sieve::RedirectOptions options = {};
};

class Submitter {
 public:
  virtual ~Submitter() = default;
  /// The MTA has it when this returns; takes 30 seconds at most.
  /// @error no_permission  the MTA refused it for good
  /// @error unavailable    or any other: not now
  virtual Result<void> submit(const Submission& mail) = 0;
  /// False: nothing can ever be sent, since the operator named no MTA.
  [[nodiscard]] virtual bool configured() const { return true; }
};

/// `where`: "smtp://HOST[:PORT]", "sendmail:/path [ARGUMENT...]" or "". `hostname` is said in EHLO.
/// Call it before any thread is made.
/// @error bad_syntax
Result<std::unique_ptr<Submitter>> make_submitter(std::string_view where, std::string hostname);

// The two kinds.
Result<std::unique_ptr<Submitter>> make_smtp_submitter(std::string_view url, std::string hostname);
std::unique_ptr<Submitter> make_command_submitter(std::vector<std::string> words);

}  // namespace postern::site
