// What a FETCH asks for: the grammar of fetch-att (RFC 9051 §9, RFC 3516, RFC 7162, RFC 8474).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imapd/cursor.h"
#include "lib/base/result.h"
#include "lib/mime/section_table.h"

namespace postern::imap {

/// BODY[section]<partial> and its relations.
struct Section {
  enum class Part : std::uint8_t { whole, header, fields, fields_not, text, mime };
  std::vector<std::uint32_t> path;  // part numbers; empty: the message
  Part part = Part::whole;
  std::vector<std::string> names;  // of fields and fields_not
  struct Partial {
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
  };
  std::optional<Partial> partial;
  std::string label;  // as the answer names it, without the octets: "BODY[1.MIME]<0>"
};

struct FetchItem {
  enum class Kind : std::uint8_t {
    flags,
    uid,
    internal_date,
    size,
    envelope,
    body,
    body_structure,
    section,
    binary,
    binary_size,
    modseq,
    email_id,
    thread_id,
    save_date,
  };
  Kind kind = Kind::flags;
  bool sets_seen = false;
  Section section;  // of section, binary and binary_size
};

/// "ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"
Result<std::vector<FetchItem>> parse_fetch_items(Cursor& in);

}  // namespace postern::imap
