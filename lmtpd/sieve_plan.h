// What a recipient's script wants, as a plan without effects: copies, mail to send, marks, or a
// refusal. lmtpd/deliver.cpp carries it out in the order that loses nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/meta/meta.h"
#include "lib/store/types.h"
#include "lmtpd/backend.h"
#include "lmtpd/errand.h"
#include "lmtpd/reply.h"
#include "lmtpd/transaction.h"
#include "sieve/action.h"
#include "sieve/site/submit.h"

namespace postern::lmtp {

/// A copy of the message.
struct PlannedCopy {
  meta::MailboxEntry mailbox;
  store::NamedFlags flags;
  std::size_t version = 0;  // index into Plan::versions; 0: as received
  /// It sleeps there; its guid is still missing.
  std::optional<meta::Snoozed> snoozed = {};
};

/// A program that gets the message.
struct PlannedPipe {
  sieve::Pipe call;
  std::size_t version = 0;  // as in PlannedCopy
};

struct Plan {
  std::vector<PlannedCopy> copies;
  std::vector<PlannedPipe> pipes;
  /// Octets of edited messages; [0] is empty and stands for the message as received.
  std::vector<std::string> versions{std::string()};
  std::vector<Errand> errands;
  std::vector<PlannedMark> marks;
  std::optional<Reply> refusal;  // of the message, by the script
  bool discarded = false;
  PlannedCopy keep;  // what is done where an action can't be

  /// Beside what the script wants, a copy where mail is kept, unless one goes there anyway.
  void keep_too();
};

/// The message and the one that it is for.
struct PlanInput {
  const Transaction& transaction;
  const Recipient& recipient;
  std::uint64_t session = 0;
  std::string_view octets;  // as it would be stored, with trace fields
};

/// Runs the recipient's script. Where there is none, and where it fails, the plan is one copy in
/// the recipient's mailbox; a failure is logged.
/// @error unavailable, io  what decides can't be asked now
Result<Plan> make_plan(const Backend& backend, const PlanInput& input);

}  // namespace postern::lmtp
