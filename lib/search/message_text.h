// The text of a message as a search sees it: decoded headers, and text parts without their
// transfer encoding, in UTF-8.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "lib/mime/find.h"

namespace postern::search {

/// Whether `needle` is in the text of the body, or, with `headers`, in the message's header. The
/// body's text is that of all text parts and the headers of nested messages.
/// @param sections  the message's mime::SectionTable
/// @error corrupt   the table doesn't fit the message
Result<bool> text_contains(std::string_view message, std::string_view sections,
                           const mime::CasemapNeedle& needle, bool headers);

}  // namespace postern::search
