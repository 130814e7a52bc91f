#include "lmtpd/message_facts.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/header.h"
#include "lib/mime/message.h"
#include "sieve/site/digest.h"

namespace postern::lmtp {
namespace {

constexpr std::uint32_t kMaxFields = 1000;

bool is_trace_field(std::string_view name) {
  return iequals(name, "Received") || iequals(name, "Return-Path") ||
         iequals(name, "Delivered-To") || iequals(name, "X-Original-To");
}

/// The word behind "id" in the value of a Received field (RFC 5321 §4.4), outside of comments.
std::string id_of_received(std::string_view value) {
  const std::string flat = mime::unfold(value);
  int depth = 0;
  bool take_next = false;
  std::size_t at = 0;
  while (at < flat.size()) {
    const char c = flat[at];
    if (c == ' ' || c == '\t' || c == ')') {
      depth -= c == ')' ? 1 : 0;
      ++at;
      continue;
    }
    if (c == '(') {
      ++depth;
      ++at;
      continue;
    }
    const auto end = std::min(flat.find_first_of(" \t();", at), flat.size());
    if (end == at) return {};  // ';': the date follows
    const std::string_view word = std::string_view(flat).substr(at, end - at);
    if (depth <= 0 && take_next) return std::string(word);
    if (depth <= 0) take_next = iequals(word, "id");
    at = end;
  }
  return {};
}

}  // namespace

MessageFacts MessageFacts::of(std::string_view text) {
  const auto header = mime::scan_header(text, kMaxFields);
  MessageFacts out;
  std::uint64_t trace_end = 0;
  bool leading = true;
  for (const auto& field : header.fields) {
    const std::string_view name = field.name.of(text);
    leading = leading && is_trace_field(name);
    if (leading) trace_end = field.whole.end;
    if (out.mta_id.empty() && leading && iequals(name, "Received"))
      out.mta_id = id_of_received(field.value.of(text));
    if (out.message_id.empty() && iequals(name, "Message-ID")) {
      const auto ids = mime::message_ids(field.value.of(text));
      if (!ids.empty()) out.message_id = ids.front();
    }
  }
  if (!out.message_id.empty())
    out.fingerprint = site::digest_of({out.message_id, text.substr(trace_end)});
  return out;
}

}  // namespace postern::lmtp
