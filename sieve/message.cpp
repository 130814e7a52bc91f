// The message under a script. The header alone is scanned unless a test asks for the parts.
#include "sieve/message.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/parameters.h"
#include "lib/mime/transfer.h"
#include "sieve/mail_address.h"
#include "sieve/utf8.h"

namespace postern::sieve {
namespace {

Field make_field(std::string_view bytes, const mime::Field& field) {
  return {field.name.of(bytes), field.value.of(bytes), field.whole.of(bytes)};
}

std::string_view trim_all(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

const std::string& Field::text() const {
  if (!text_) text_ = std::string(trim_all(mime::decode_header(value_)));
  return *text_;
}

const std::vector<mime::Address>& Field::addresses() const {
  if (!addresses_) addresses_ = mime::parse_address_list(value_);
  return *addresses_;
}

const std::vector<std::string>& Field::address_parts(AddressPart part,
                                                     std::string_view separators) const {
  const auto [at, fresh] = parts_.try_emplace(part);
  if (!fresh) return at->second;
  for (const auto& address : addresses()) {
    if (address.kind != mime::Address::Kind::mailbox) continue;
    if (auto text = part_of(address, part, separators)) at->second.push_back(std::move(*text));
  }
  return at->second;
}

void Message::load_header() {
  if (header_loaded_) return;
  const auto block = mime::scan_header(octets_);
  header_.clear();
  for (const auto& field : block.fields) header_.push_back(make_field(octets_, field));
  header_size_ = block.size;
  header_loaded_ = true;
}

const std::vector<Field>& Message::fields(std::uint32_t part) {
  load_header();
  if (part == 0) return header_;
  const auto [at, fresh] = part_fields_.try_emplace(part);
  if (fresh) {
    const auto& message = structure();
    for (const auto& field : message.fields_of(message.parts[part]))
      at->second.push_back(make_field(octets_, field));
  }
  return at->second;
}

const mime::Message& Message::structure() {
  if (!structure_) structure_ = mime::parse(octets_);
  return *structure_;
}

std::vector<std::uint32_t> Message::children(std::uint32_t part) {
  std::vector<std::uint32_t> out;
  const auto& parts = structure().parts;
  for (auto at = parts[part].first_child; at != mime::kNone; at = parts[at].next_sibling)
    out.push_back(at);
  return out;
}

// Parts stand in document order, so those below one follow it until its end.
std::vector<std::uint32_t> Message::parts_below(std::uint32_t top) {
  const auto& parts = structure().parts;
  std::vector<std::uint32_t> out{top};
  for (std::uint32_t i = top + 1; i < parts.size(); ++i) {
    std::uint32_t up = parts[i].parent;
    while (up != mime::kNone && up > top) up = parts[up].parent;
    if (up != top) break;
    out.push_back(i);
  }
  return out;
}

std::string Message::path(std::uint32_t part) {
  const auto& parts = structure().parts;
  std::string out;
  while (part != 0) {
    std::size_t number = 1;
    auto sibling = parts[parts[part].parent].first_child;
    for (; sibling != part; sibling = parts[sibling].next_sibling) ++number;
    out = out.empty() ? fmt::format("{}", number) : fmt::format("{}.{}", number, out);
    part = parts[part].parent;
  }
  return out;
}

std::uint64_t Message::size(std::uint32_t part) {
  if (part == 0) return is_edited() ? render().size() : octets_.size();
  const auto& p = structure().parts[part];
  return p.header.size() + p.body.size();
}

std::string_view Message::decoded(std::uint32_t part) {
  const auto [at, fresh] = decoded_.try_emplace(part);
  if (!fresh) return at->second;
  const auto& message = structure();
  const auto& p = message.parts[part];
  const std::size_t room = limits_.body_octets - decoded_octets_;
  at->second = mime::decode_transfer(p.encoding, message.text(p.body).substr(0, 2 * room));
  if (p.type == "text") at->second = mime::to_utf8_or_guess(mime::charset(message, p), at->second);
  at->second.resize(utf8_cut(at->second, room).size());
  decoded_octets_ += at->second.size();
  return at->second;
}

std::string_view Message::line_end() {
  const auto at = octets_.find('\n');
  return at != std::string_view::npos && (at == 0 || octets_[at - 1] != '\r') ? "\n" : "\r\n";
}

// The body with the replaced parts; a part inside a replaced one is gone with it.
void Message::append_body(std::string& out) {
  std::size_t done = header_size_;
  for (const auto& [part, entity] : replaced_) {
    const auto& p = structure().parts[part];
    if (p.header.begin < done) continue;
    out += octets_.substr(done, p.header.begin - done);
    out += entity;
    if (!entity.ends_with('\n') && p.body.end < octets_.size() && octets_[p.body.end] == '-')
      out += line_end();
    done = p.body.end;
  }
  out += octets_.substr(done);
}

std::string Message::render() {
  load_header();
  std::string out;
  out.reserve(octets_.size() + 1024);
  for (const auto& field : header_) {
    out += field.whole();
    if (!out.ends_with('\n')) out += line_end();
  }
  if (const auto whole = replaced_.find(0); whole != replaced_.end()) return out + whole->second;
  const auto head = octets_.substr(0, header_size_);
  if (header_size_ < octets_.size() || head == line_end() || head.ends_with("\n\n") ||
      head.ends_with("\n\r\n"))
    out += line_end();
  append_body(out);
  return out;
}

void Message::edited() { version_ = {std::nullopt, std::nullopt}; }

void Message::add_field(std::string_view name, std::string_view value, bool last) {
  load_header();
  kept_.push_back(fmt::format("{}: {}{}", name, value, line_end()));
  const std::string_view whole = kept_.back();
  const Field field(whole.substr(0, name.size()), whole.substr(name.size() + 2, value.size()),
                    whole);
  header_.insert(last ? header_.end() : header_.begin(), field);
  edited();
}

std::size_t Message::remove_fields(const std::function<bool(const Field&)>& unwanted) {
  load_header();
  const std::size_t before = header_.size();
  std::vector<Field> kept;
  for (auto& field : header_)
    if (!unwanted(field)) kept.push_back(std::move(field));
  header_ = std::move(kept);
  if (header_.size() != before) edited();
  return before - header_.size();
}

void Message::replace_part(std::uint32_t part, std::string entity) {
  load_header();
  replaced_[part] = std::move(entity);
  edited();
}

void Message::enclose(std::string before, std::string behind) {
  before_ = std::move(before);
  behind_ = std::move(behind);
  version_[1].reset();
}

Result<std::size_t> Message::version(bool enclosed) {
  auto& number = version_[enclosed ? 1 : 0];
  if (number) return *number;
  if (enclosed && before_.empty()) {
    number = TRY(version(false));
    return *number;
  }
  auto octets = render();
  if (enclosed) octets = before_ + octets + behind_;
  version_octets_ += octets.size();
  if (versions_.size() > limits_.message_versions || version_octets_ > limits_.edited_octets)
    return fail(Errc::limit, "the message was edited too often");
  number = versions_.size();
  versions_.push_back(std::move(octets));
  return *number;
}

}  // namespace postern::sieve
