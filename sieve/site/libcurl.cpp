// libcurl, opened when something is sent for the first time. With it come some thirty libraries
// (GnuTLS, LDAP, Kerberos, …): half a megabyte in every worker, of which few ever send anything.
// The functions below are those of <curl/curl.h> that we use, under their own names.
#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>

#include "lib/log/log.h"

namespace {

// The GnuTLS flavour: libssl stays in transportd. The interface of all flavours is the same.
constexpr const char* kLibrary = "libcurl-gnutls.so.4";

void* open_library() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    LOG(error, "submission.no_library", {"error", ::dlerror()});
    return nullptr;
  }
  const auto init = reinterpret_cast<CURLcode (*)(long)>(::dlsym(library, "curl_global_init"));
  return init != nullptr && init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? library : nullptr;
}

void* the_library() {
  static void* const opened = open_library();
  return opened;
}

/// Function `name`, whose type is that of `declared`; null if there is no library.
template <typename Function>
Function* find(Function*, const char* name) {
  void* const library = the_library();
  return library == nullptr ? nullptr : reinterpret_cast<Function*>(::dlsym(library, name));
}

#define FIND(function) find(&(function), #function)

}  // namespace

#undef curl_easy_setopt  // it and getinfo are also macros that check types
#undef curl_easy_getinfo

// Without a library there is no handle, and no other function is called.
extern "C" {

CURL* curl_easy_init() {
  static const auto call = FIND(curl_easy_init);
  return call != nullptr ? call() : nullptr;
}

void curl_easy_cleanup(CURL* curl) {
  static const auto call = FIND(curl_easy_cleanup);
  call(curl);
}

// Every option that we set is as wide as a pointer.
CURLcode curl_easy_setopt(CURL* curl, CURLoption option, ...) {
  static const auto call = FIND(curl_easy_setopt);
  va_list values;
  va_start(values, option);
  void* const value = va_arg(values, void*);
  va_end(values);
  return call(curl, option, value);
}

CURLcode curl_easy_getinfo(CURL* curl, CURLINFO info, ...) {
  static const auto call = FIND(curl_easy_getinfo);
  va_list values;
  va_start(values, info);
  void* const value = va_arg(values, void*);
  va_end(values);
  return call(curl, info, value);
}

CURLcode curl_easy_perform(CURL* curl) {
  static const auto call = FIND(curl_easy_perform);
  return call(curl);
}

CURLcode curl_easy_send(CURL* curl, const void* octets, size_t size, size_t* sent) {
  static const auto call = FIND(curl_easy_send);
  return call(curl, octets, size, sent);
}

CURLcode curl_easy_recv(CURL* curl, void* octets, size_t size, size_t* got) {
  static const auto call = FIND(curl_easy_recv);
  return call(curl, octets, size, got);
}

const char* curl_easy_strerror(CURLcode code) {
  static const auto call = FIND(curl_easy_strerror);
  return call(code);
}

curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  static const auto call = FIND(curl_slist_append);
  return call != nullptr ? call(list, text) : nullptr;
}

void curl_slist_free_all(curl_slist* list) {
  static const auto call = FIND(curl_slist_free_all);
  call(list);
}
}
