// What porter, workers, fork servers, master and transportd say to each other: one SEQPACKET
// message each, an octet for the kind and a TLV record, with a descriptor or two. Every message
// that moves a session may be repeated (its Ticket says which hand-over it speaks of), so a killed
// porter's successor asks again instead of guessing.
//
//   door     (one socketpair; porter reads, all others write): hello, greetings, connection
//   tls door (one socketpair; every transportd reads, workers write): start_tls, compress
//   channel  (one socketpair a worker): wake, retire, login_answer →; ← park, end, login
//   control  (one socketpair; master writes): listener, pool_event, unlisten, kick, shut_down
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/service/daemon.h"

namespace postern::service {

/// `state` and `unread` of a parked session together; a larger one keeps its worker.
inline constexpr std::size_t kMaxRecord = 64 * 1024;
inline constexpr std::size_t kMaxMessage = kMaxRecord + 16 * 1024;

enum class Kind : std::uint8_t {
  none,
  hello,         // worker: here is my channel (descriptor)
  greetings,     // fork server: what porter writes for this pool
  connection,    // transportd: a finished connection (descriptor) and its Facts
  start_tls,     // worker, at transportd's door: shake hands on this socket (descriptor)
  wake,          // porter: serve this session (descriptor)
  retire,        // porter: end when you are free
  login_answer,  // porter: accepted, or over the limit
  park,
  end,
  login,
  listener,    // master: accept here for this service (descriptor)
  pool_event,  // master: poke this eventfd (descriptor) when the pool needs workers
  unlisten,    // master: close all listeners of this service
  kick,        // master: end the sessions of this user
  shut_down,   // master: goodbye to all
  compress,    // worker, at transportd's door: relay between the client and the session with
               // DEFLATE (descriptors: the client's side, the session's side)
};

Kind kind_of(std::string_view message);

/// Names one hand-over of one session.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint32_t wake = 0;
  std::uint64_t session = 0;
  friend bool operator==(const Ticket&, const Ticket&) = default;
};

struct Hello {
  std::uint32_t pool = 0;
  std::uint32_t generation = 0;
  std::int32_t pid = 0;
};

struct Greetings {
  std::uint32_t pool = 0;
  std::uint32_t generation = 0;
  std::array<std::string, 4> greeting;  // index as in PoolRow
  std::array<std::string, 5> goodbye;
  bool needs_login = false;
};

struct Wake {
  Ticket ticket;
  Facts facts;
  std::string state;
  std::string unread;
  bool changed = false;
  bool shutting_down = false;
};

/// With a descriptor: the session is behind that socket from now on (COMPRESS).
struct Park {
  Ticket ticket;
  bool leaving = false;  // the worker waits for `retire` and ends
  Parked parked;
};

struct End {
  Ticket ticket;
  bool leaving = false;
  bool handed_over = false;  // another process has the socket now: close it without shutdown()
  std::string reason;
};

struct TlsRequest {
  Facts facts;
  std::string alpn;
  std::string ok_line;  // written in the clear, before the handshake
};

struct CompressRequest {
  Facts facts;
  std::string ok_line;  // written uncompressed, then compression begins
  std::string unread;   // compressed octets that the worker has read already
};

struct Login {
  Ticket ticket;
  std::string user;
};

struct LoginAnswer {
  Ticket ticket;
  bool accepted = false;
};

/// Of master: which kind uses which member is said at Kind.
struct Order {
  Kind kind = Kind::none;
  std::uint32_t index = 0;  // pool or service
  std::string user;
};

std::string encode(const Hello&);
std::string encode(const Greetings&);
std::string encode_connection(const Facts&);
std::string encode(const Wake&);
std::string encode(const Park&);
std::string encode(const End&);
std::string encode(const TlsRequest&);
std::string encode(const CompressRequest&);
std::string encode(const Login&);
std::string encode(const LoginAnswer&);
std::string encode(const Order&);
std::string encode_retire();

/// @error bad_syntax     cut short, or a field of a wrong length
/// @error not_supported  a critical field that this version doesn't know
Result<Hello> decode_hello(std::string_view message);
Result<Greetings> decode_greetings(std::string_view message);
Result<Facts> decode_connection(std::string_view message);
Result<Wake> decode_wake(std::string_view message);
Result<Park> decode_park(std::string_view message);
Result<End> decode_end(std::string_view message);
Result<TlsRequest> decode_tls_request(std::string_view message);
Result<CompressRequest> decode_compress_request(std::string_view message);
Result<Login> decode_login(std::string_view message);
Result<LoginAnswer> decode_login_answer(std::string_view message);
Result<Order> decode_order(std::string_view message);

std::string encode_facts(const Facts& facts);
Result<Facts> decode_facts(std::string_view record);

}  // namespace postern::service
