// Wire forms of the messages. Each struct has one list of fields, visited by a writer and by a
// reader, so that the two can't differ.
#include "lib/service/message.h"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "lib/base/wire.h"

namespace postern::service {
namespace {

/// Writes the fields that differ from their defaults.
class Put {
 public:
  template <typename T>
  requires(std::is_integral_v<T>) void operator()(std::uint16_t tag, const T& value) {
    if (value != T{}) out_.number(tag, value);
  }
  void operator()(std::uint16_t tag, const std::string& value) {
    if (!value.empty()) out_.bytes(tag, value);
  }
  void operator()(std::uint16_t tag, const std::chrono::milliseconds& value) {
    (*this)(tag, std::int64_t{value.count()});
  }
  void operator()(std::uint16_t tag, const std::vector<Watch>& watches) {
    for (const Watch& watch : watches) {
      WireWriter words;
      words.put(watch.slot);
      words.put(watch.seen);
      out_.bytes(tag, words.bytes());
    }
  }
  template <std::size_t N>
  void operator()(std::uint16_t tag, const std::array<std::string, N>& texts) {
    for (std::size_t i = 0; i < N; ++i) (*this)(static_cast<std::uint16_t>(tag + i), texts[i]);
  }
  [[nodiscard]] std::string take() { return std::move(out_).take(); }

 private:
  TlvWriter out_;
};

/// Offered each field of the struct in turn, takes the one whose tag was read.
class Take {
 public:
  explicit Take(const TlvField& field) : field_(field) {}

  template <typename T>
  requires(std::is_integral_v<T>) void operator()(std::uint16_t tag, T& value) {
    if (!mine(tag)) return;
    auto number = field_.number<T>();
    if (number)
      value = *number;
    else
      failed_ = true;
  }
  void operator()(std::uint16_t tag, std::string& value) {
    if (mine(tag)) value = field_.value;
  }
  void operator()(std::uint16_t tag, std::chrono::milliseconds& value) {
    std::int64_t count = value.count();
    (*this)(tag, count);
    value = std::chrono::milliseconds{count};
  }
  void operator()(std::uint16_t tag, std::vector<Watch>& watches) {
    if (!mine(tag)) return;
    WireReader words(field_.value);
    const auto slot = words.take<std::uint32_t>();
    const auto seen = words.take<std::uint64_t>();
    if (slot && seen)
      watches.push_back({*slot, *seen});
    else
      failed_ = true;
  }
  template <std::size_t N>
  void operator()(std::uint16_t tag, std::array<std::string, N>& texts) {
    for (std::size_t i = 0; i < N; ++i) (*this)(static_cast<std::uint16_t>(tag + i), texts[i]);
  }
  [[nodiscard]] bool taken() const { return taken_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  bool mine(std::uint16_t tag) {
    if ((field_.tag & ~kCriticalTag) != tag) return false;
    taken_ = true;
    return true;
  }
  TlvField field_;
  bool taken_ = false;
  bool failed_ = false;
};

template <typename Visitor, typename F>
void visit_facts(Visitor& v, F& facts) {
  v(100, facts.session_id);
  v(101, facts.service);
  v(102, facts.peer_address);
  v(103, facts.peer_port);
  v(104, facts.local_address);
  v(105, facts.local_port);
  v(106, facts.loopback);
  v(107, facts.tls);
  v(108, facts.tls_version);
  v(109, facts.cipher);
  v(110, facts.sni);
  v(111, facts.alpn);
  v(112, facts.client_certificate);
  v(113, facts.channel_binding);
  v(114, facts.accepted_at);
  v(115, facts.greeted);
  v(116, facts.compressed);
  v(117, facts.endpoint_binding);
}

template <typename Visitor, typename T>
void visit_ticket(Visitor& v, T& ticket) {
  v(1, ticket.slot);
  v(2, ticket.wake);
  v(3, ticket.session);
}

template <typename Visitor, typename P>
void visit_parked(Visitor& v, P& parked) {
  v(20, parked.state);
  v(21, parked.unread);
  v(22, parked.watches);
  v(23, parked.user);
  v(24, parked.mailbox);
  v(25, parked.activity);
  v(26, parked.autologout);
  v(27, parked.goodbye);
  v(28, parked.keepalive);
  v(29, parked.keepalive_text);
  v(30, parked.not_before);
  v(31, parked.delayed_reply);
  v(32, parked.goes_on);
}

// One visit() for each message: the whole wire form.
template <typename Visitor>
void visit(Visitor& v, Facts& m) {
  visit_facts(v, m);
}
template <typename Visitor>
void visit(Visitor& v, Hello& m) {
  v(10, m.pool);
  v(11, m.generation);
  v(12, m.pid);
}
template <typename Visitor>
void visit(Visitor& v, Greetings& m) {
  v(10, m.pool);
  v(11, m.generation);
  v(40, m.greeting);
  v(50, m.goodbye);
  v(18, m.needs_login);
}
template <typename Visitor>
void visit(Visitor& v, Wake& m) {
  visit_ticket(v, m.ticket);
  visit_facts(v, m.facts);
  v(20, m.state);
  v(21, m.unread);
  v(13, m.changed);
  v(14, m.shutting_down);
}
template <typename Visitor>
void visit(Visitor& v, Park& m) {
  visit_ticket(v, m.ticket);
  v(15, m.leaving);
  visit_parked(v, m.parked);
}
template <typename Visitor>
void visit(Visitor& v, End& m) {
  visit_ticket(v, m.ticket);
  v(15, m.leaving);
  v(16, m.reason);
  v(19, m.handed_over);
}
template <typename Visitor>
void visit(Visitor& v, TlsRequest& m) {
  visit_facts(v, m.facts);
  v(60, m.alpn);
  v(61, m.ok_line);
}
template <typename Visitor>
void visit(Visitor& v, CompressRequest& m) {
  visit_facts(v, m.facts);
  v(61, m.ok_line);
  v(21, m.unread);
}
template <typename Visitor>
void visit(Visitor& v, Login& m) {
  visit_ticket(v, m.ticket);
  v(23, m.user);
}
template <typename Visitor>
void visit(Visitor& v, LoginAnswer& m) {
  visit_ticket(v, m.ticket);
  v(17, m.accepted);
}
template <typename Visitor>
void visit(Visitor& v, Order& m) {
  v(10, m.index);
  v(23, m.user);
}

template <typename T>
std::string put_message(Kind kind, const T& message) {
  Put put;
  visit(put, const_cast<T&>(message));  // Put takes all its arguments as const
  std::string out(1, static_cast<char>(kind));
  out += put.take();
  return out;
}

template <typename T>
Result<T> take_fields(std::string_view record) {
  T message{};
  TlvReader in(record);
  while (!in.at_end()) {
    const TlvField field = TRY(in.next());
    Take take(field);
    visit(take, message);
    if (take.failed()) return fail(Errc::bad_syntax, "field {} has a wrong length", field.tag);
    if (!take.taken() && (field.tag & kCriticalTag) != 0)
      return fail(Errc::not_supported, "field {} is critical and unknown", field.tag);
  }
  return message;
}

template <typename T>
Result<T> take_message(Kind kind, std::string_view message) {
  if (message.empty() || kind_of(message) != kind)
    return fail(Errc::bad_syntax, "a message of another kind");
  return take_fields<T>(message.substr(1));
}

}  // namespace

std::string session_mark(std::uint64_t session_id, std::int64_t accepted_at) {
  return fmt::format("{}.{}", session_id, accepted_at);
}

Kind kind_of(std::string_view message) {
  if (message.empty()) return Kind::none;
  const auto octet = static_cast<std::uint8_t>(message.front());
  return octet <= static_cast<std::uint8_t>(Kind::compress) ? static_cast<Kind>(octet) : Kind::none;
}

std::string encode(const Hello& m) { return put_message(Kind::hello, m); }
std::string encode(const Greetings& m) { return put_message(Kind::greetings, m); }
std::string encode_connection(const Facts& m) { return put_message(Kind::connection, m); }
std::string encode(const Wake& m) { return put_message(Kind::wake, m); }
std::string encode(const Park& m) { return put_message(Kind::park, m); }
std::string encode(const End& m) { return put_message(Kind::end, m); }
std::string encode(const TlsRequest& m) { return put_message(Kind::start_tls, m); }
std::string encode(const CompressRequest& m) { return put_message(Kind::compress, m); }
std::string encode(const Login& m) { return put_message(Kind::login, m); }
std::string encode(const LoginAnswer& m) { return put_message(Kind::login_answer, m); }
std::string encode(const Order& m) { return put_message(m.kind, m); }
std::string encode_retire() { return std::string(1, static_cast<char>(Kind::retire)); }
std::string encode_facts(const Facts& m) { return put_message(Kind::connection, m); }

Result<Hello> decode_hello(std::string_view m) { return take_message<Hello>(Kind::hello, m); }
Result<Greetings> decode_greetings(std::string_view m) {
  return take_message<Greetings>(Kind::greetings, m);
}
Result<Facts> decode_connection(std::string_view m) {
  return take_message<Facts>(Kind::connection, m);
}
Result<Facts> decode_facts(std::string_view m) { return decode_connection(m); }
Result<Wake> decode_wake(std::string_view m) { return take_message<Wake>(Kind::wake, m); }
Result<Park> decode_park(std::string_view m) { return take_message<Park>(Kind::park, m); }
Result<End> decode_end(std::string_view m) { return take_message<End>(Kind::end, m); }
Result<TlsRequest> decode_tls_request(std::string_view m) {
  return take_message<TlsRequest>(Kind::start_tls, m);
}
Result<CompressRequest> decode_compress_request(std::string_view m) {
  return take_message<CompressRequest>(Kind::compress, m);
}
Result<Login> decode_login(std::string_view m) { return take_message<Login>(Kind::login, m); }
Result<LoginAnswer> decode_login_answer(std::string_view m) {
  return take_message<LoginAnswer>(Kind::login_answer, m);
}
Result<Order> decode_order(std::string_view m) {
  Order order = TRY(take_message<Order>(kind_of(m), m));
  order.kind = kind_of(m);
  return order;
}

}  // namespace postern::service
