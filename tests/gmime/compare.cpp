// Walks a folder of messages (*.eml) and compares what lib/mime and GMime find in each: the tree of
// parts with types, encodings and sizes of the bodies as they stand in the message.
//
// usage: gmime_compare FOLDER [EXPECTED]    EXPECTED names, a line each, files that differ and why
#include <gmime/gmime.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "lib/base/text.h"
#include "lib/mime/imap_form.h"
#include "lib/mime/message.h"
#include "lib/mime/transfer.h"

namespace {

using namespace postern;
using Lines = std::vector<std::string>;

std::string line(const std::string& path, const std::string& what) {
  return "[" + path + "] " + what;
}

std::string child_path(const std::string& path, int number) {
  return path.empty() ? std::to_string(number) : path + "." + std::to_string(number);
}

void describe_ours(const mime::Message& message, std::uint32_t index, const std::string& path,
                   Lines& out) {
  const mime::Part& part = message.parts[index];
  std::string what = part.type + "/" + part.subtype;
  if (part.kind == mime::Kind::leaf) {
    const auto name = mime::name_of(part.encoding);
    what += " " + std::string(name.empty() ? "unknown" : name);
    what += " " + std::to_string(part.body.size());
  }
  out.push_back(line(path, what));
  int number = 0;
  for (auto c = part.first_child; c != mime::kNone; c = message.parts[c].next_sibling)
    describe_ours(message, c, child_path(path, ++number), out);
}

std::string encoding_name(GMimeContentEncoding encoding) {
  if (encoding == GMIME_CONTENT_ENCODING_DEFAULT) return "7bit";
  if (encoding == GMIME_CONTENT_ENCODING_UUENCODE) return "unknown";
  const char* name = g_mime_content_encoding_to_string(encoding);
  return name == nullptr ? "unknown" : name;
}

std::string describe_leaf(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  const gint64 size =
      content == nullptr ? 0 : g_mime_stream_length(g_mime_data_wrapper_get_stream(content));
  return " " + encoding_name(g_mime_part_get_content_encoding(part)) + " " + std::to_string(size);
}

// GMime's macros are C casts.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"

void describe_gmime(GMimeObject* object, const std::string& path, Lines& out) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  std::string what = to_lower(g_mime_content_type_get_media_type(type)) + "/" +
                     to_lower(g_mime_content_type_get_media_subtype(type));
  if (GMIME_IS_PART(object)) what += describe_leaf(GMIME_PART(object));
  out.push_back(line(path, what));
  if (GMIME_IS_MULTIPART(object)) {
    const int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
    for (int i = 0; i < count; ++i)
      describe_gmime(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), child_path(path, i + 1),
                     out);
  } else if (GMIME_IS_MESSAGE_PART(object)) {
    GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    GMimeObject* root = inner == nullptr ? nullptr : g_mime_message_get_mime_part(inner);
    if (root != nullptr) describe_gmime(root, child_path(path, 1), out);
  }
}

Lines gmime_lines(const std::string& octets) {
  Lines out;
  GMimeStream* stream = g_mime_stream_mem_new_with_buffer(octets.data(), octets.size());
  GMimeParser* parser = g_mime_parser_new_with_stream(stream);
  GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
  if (message != nullptr) {
    GMimeObject* root = g_mime_message_get_mime_part(message);
    if (root != nullptr) describe_gmime(root, "", out);
    g_object_unref(message);
  }
  g_object_unref(parser);
  g_object_unref(stream);
  return out;
}

#pragma GCC diagnostic pop

std::string read_crlf(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string raw{std::istreambuf_iterator<char>(in), {}};
  std::string out;
  out.reserve(raw.size() + raw.size() / 32);
  for (const char c : raw) {
    if (c == '\n' && (out.empty() || out.back() != '\r')) out += '\r';
    out += c;
  }
  return out;
}

std::set<std::string> read_expected(const char* path) {
  std::set<std::string> names;
  std::ifstream in(path);
  for (std::string text; std::getline(in, text);)
    if (!text.empty() && text.front() != '#') names.insert(text.substr(0, text.find(' ')));
  return names;
}

// Prints both views where they differ.
bool same(const std::filesystem::path& path) {
  const std::string octets = read_crlf(path);
  const mime::Message message = mime::parse(octets);
  Lines ours;
  describe_ours(message, 0, "", ours);
  const Lines theirs = gmime_lines(octets);
  if (ours == theirs) return true;
  std::printf("%s\n", path.filename().c_str());
  for (const std::string& text : ours)
    if (std::ranges::find(theirs, text) == theirs.end()) std::printf("  ours  %s\n", text.c_str());
  for (const std::string& text : theirs)
    if (std::ranges::find(ours, text) == ours.end()) std::printf("  gmime %s\n", text.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: gmime_compare FOLDER [EXPECTED]\n");
    return 64;
  }
  g_mime_init();
  const std::set<std::string> expected =
      argc > 2 ? read_expected(argv[2]) : std::set<std::string>();
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1]))
    if (entry.path().extension() == ".eml") files.push_back(entry.path());
  std::ranges::sort(files);
  int surprises = 0;
  std::size_t differing = 0;
  for (const auto& path : files) {
    const bool agrees = same(path);
    differing += agrees ? 0 : 1;
    if (agrees == expected.contains(path.filename().string())) ++surprises;
  }
  std::printf("%zu messages, %zu differ, %d of them unexpectedly or not where expected\n",
              files.size(), differing, surprises);
  return surprises == 0 && !files.empty() ? 0 : 1;
}
