// A command: its row in the table, and run<C>, which chains the steps of a command class. Each step
// stands alone: parse knows syntax only and fails with BAD; plan checks rights, the selected
// mailbox and limits, and touches nothing; execute does the work; respond alone writes to the
// client. Steps that a command doesn't need are left out.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "imapd/context.h"
#include "imapd/cursor.h"
#include "imapd/framer.h"

namespace postern::imap {

/// FETCH or UID FETCH.
enum class Form : std::uint8_t { plain, uid };

/// How a command ended, and so what the session does next.
struct Completion {
  enum class Kind : std::uint8_t {
    ok,
    no,
    bad,
    idle,       // no reply yet: IDLE has begun
    logout,     // OK, then the connection ends
    start_tls,  // the runtime takes over and writes the OK
    compress,   // the same
    bye,        // the connection ends now, with `text` in a BYE
    closed,     // the peer has gone
  };
  Kind kind = Kind::ok;
  std::string text;                    // empty: "NAME completed"
  std::chrono::milliseconds delay{0};  // the reply is held back for so long (failed logins)
};

/// What the client is told of an error, and what of it goes into the log.
Completion failed(Context& ctx, const Error& error);

using Handler = Completion (*)(Context&, Cursor&);
/// Decides about the literals of a command that keeps some of them aside; see framer.h.
using LiteralHook = LiteralVerdict (*)(Context&, Cursor&, const LiteralHead&);

/// In which state a command is legal (RFC 9051 §3).
enum class In : std::uint8_t { any, not_authenticated, authenticated, selected };
/// Whether expunges by others are told before its tagged reply (RFC 9051 §7.5.1): not while the
/// client's sequence numbers are in flight.
enum class Expunges : std::uint8_t { tell, hold };

struct Command {
  std::string_view name;
  In state = In::any;
  Expunges expunges = Expunges::tell;
  Handler run = nullptr;
  LiteralHook literal = nullptr;
};

/// For commands without arguments.
struct Nothing {};

template <typename C, typename Input>
Completion respond_to(Context& ctx, const Input& input) {
  if constexpr (requires { C::respond(input, ctx); }) {
    if constexpr (std::same_as<decltype(C::respond(input, ctx)), Completion>) {
      return C::respond(input, ctx);
    } else if constexpr (std::same_as<decltype(C::respond(input, ctx)), void>) {
      C::respond(input, ctx);
    } else if (const Result<void> done = C::respond(input, ctx); !done) {
      return failed(ctx, done.error());
    }
  }
  return {};
}

template <typename C, typename Input>
Completion execute_on(Context& ctx, Input& input) {
  if constexpr (requires { C::execute(input, ctx); }) {
    auto done = C::execute(input, ctx);
    if (!done) return failed(ctx, done.error());
    if constexpr (std::is_void_v<typename decltype(done)::value_type>)
      return respond_to<C>(ctx, input);
    else
      return respond_to<C>(ctx, *done);
  } else {
    return respond_to<C>(ctx, input);
  }
}

template <typename C, typename Input>
Completion plan_for(Context& ctx, Input& input) {
  if constexpr (requires { C::plan(input, ctx); }) {
    auto plan = C::plan(input, ctx);
    if (!plan) return failed(ctx, plan.error());
    if constexpr (std::is_void_v<typename decltype(plan)::value_type>)
      return execute_on<C>(ctx, input);
    else
      return execute_on<C>(ctx, *plan);
  } else {
    return execute_on<C>(ctx, input);
  }
}

/// The handler of command class C for the table.
template <typename C, Form form = Form::plain>
Completion run(Context& ctx, Cursor& in) {
  auto request = [&] {  // not by name: not every branch uses it
    if constexpr (requires { C::parse(in, form); })
      return C::parse(in, form);
    else if constexpr (requires { C::parse(in); })
      return C::parse(in);
    else
      return Result<Nothing>(Nothing{});
  }();
  if (!request) return failed(ctx, request.error());
  if (const auto end = in.end(); !end) return failed(ctx, end.error());
  return plan_for<C>(ctx, *request);
}

}  // namespace postern::imap
