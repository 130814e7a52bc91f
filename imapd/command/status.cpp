// STATUS (RFC 9051 §6.3.11): the right r, and no look at the messages.
#include "imapd/command/commands.h"
#include "imapd/grammar.h"

namespace postern::imap {

// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
Result<Status::Request> Status::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  TRY(in.space());
  request.items = TRY(parse_status_items(in));
  return request;
}

Result<Status::Plan> Status::plan(const Request& request, Context& ctx) {
  auto found = TRY(ctx.find_with(request.mailbox, meta::Right::read));
  return Plan{std::move(found.entry), request.items};
}

Result<void> Status::respond(const Plan& plan, Context& ctx) {
  return tell_status(ctx, plan.entry, plan.items);
}

}  // namespace postern::imap
