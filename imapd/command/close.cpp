// CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2; RFC 3691 §2): back to the authenticated state, with
// and without a silent expunge.
#include "imapd/command/commands.h"
#include "imapd/messages.h"
#include "imapd/number_set.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

void leave(Context& ctx) {
  ctx.selected.reset();
  ctx.conn.unselect();
}

}  // namespace

// Without the right "e", or after EXAMINE, CLOSE only closes (RFC 4314 §4).
Result<void> Close::execute(const Nothing&, Context& ctx) {
  const auto open = ctx.changeable(meta::Right::expunge);
  if (!open) return {};
  Selected& selected = **open;
  const auto records = records_in(selected, {{1, selected.view.exists()}}, Form::plain);
  const auto gone = TRY(selected.mailbox->expunge(records, true));
  log_expunge(ctx, gone);
  return {};
}

void Close::respond(const Nothing&, Context& ctx) { leave(ctx); }

void Unselect::respond(const Nothing&, Context& ctx) { leave(ctx); }

}  // namespace postern::imap
