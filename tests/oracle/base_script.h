// Random scripts of the RFC 5228 base that both engines should understand the same way.
#pragma once

#include <functional>
#include <string>

namespace postern::sieve {

std::string random_base_script(const std::function<std::size_t(std::size_t)>& choose);

}  // namespace postern::sieve
