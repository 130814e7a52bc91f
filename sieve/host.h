// What a script may ask of the world. The engine itself reads no file, no clock and no network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace postern::sieve {

class Regex;

enum class Location : std::uint8_t { personal, global };

/// How spamtest and virustest read a filter's verdict from the message (RFC 5235).
struct ScoreSource {
  enum class Form : std::uint8_t {
    number,  // the first number is the score, `max` is certain spam
    marks,   // the score is the length of the first word, e.g. "****"
    words,   // the text is one of `words`
  };
  /// Text of a message: a field, or what the first group of `pattern` (or all of it) finds there.
  struct Place {
    std::string field;
    std::shared_ptr<const Regex> pattern;
  };
  Place score;  // no field: no filter is configured; the tests see "0", not tested
  Form form = Form::number;
  double max = 10.0;
  Place max_place;  // with a field: `max` stands there, for each message
  /// Grades (1 to 10, for virustest 1 to 5) and the texts that mean them, in any case.
  std::vector<std::pair<int, std::string>> words;
};

/// Each question may fail: the run then ends with an error, that is with an implicit keep.
/// All have an answer of their own for a world that has nothing.
class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;

  /// Seconds since 1970 UTC, and the zone of the user in minutes east at that time.
  virtual std::int64_t now() = 0;
  virtual int zone_minutes(std::int64_t at);

  /// RFC 5490 §3.1: it exists and the user may deliver into it.
  virtual Result<bool> mailbox_exists(std::string_view name);
  /// RFC 9042 §4.
  virtual Result<bool> mailbox_id_exists(std::string_view id);
  /// RFC 8579 §3; `mailbox` empty: any mailbox of the user.
  virtual Result<bool> special_use_exists(std::string_view mailbox, std::string_view use);
  /// RFC 5490 §3.3; `mailbox` empty: a server annotation (§4.1).
  virtual Result<std::optional<std::string>> metadata(std::string_view mailbox,
                                                      std::string_view annotation);

  /// The text of a script to include; nothing if there is none of this name.
  virtual Result<std::optional<std::string>> script(Location location, std::string_view name);

  /// Whether this was marked by an earlier, successful run (RFC 7352 §3).
  virtual Result<bool> duplicate_seen(std::string_view handle, std::string_view unique_id);
  /// Whether a reply with this handle went to this address within the last `seconds`.
  virtual Result<bool> vacation_answered(std::string_view handle, std::string_view address,
                                         std::int64_t seconds);
  /// Addresses that belong to the user, besides the envelope recipient.
  virtual std::vector<std::string> own_addresses();

  /// Whether notify reaches this URI, whose syntax is right (RFC 5435 §4).
  virtual bool can_notify(std::string_view method);

  /// External lists (RFC 6134), e.g. ":addrbook:default" or its urn.
  virtual bool list_known(std::string_view list);
  virtual Result<bool> list_contains(std::string_view list, std::string_view value);
  virtual Result<std::vector<std::string>> list_addresses(std::string_view list);

  /// RFC 5183 §4 items that the engine doesn't know itself; nothing for unknown ones.
  virtual std::optional<std::string> environment(std::string_view item);
  virtual const ScoreSource& spam_source();
  virtual const ScoreSource& virus_source();
  /// Characters that separate user and detail; RFC 5233 §4 leaves them to the site.
  virtual std::string_view detail_separators();

  /// For `postern sieve test --trace`; called only while tracing() is true.
  virtual bool tracing();
  virtual void trace(std::uint32_t line, std::string_view text);
};

}  // namespace postern::sieve
