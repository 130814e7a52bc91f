#include "lib/auth/auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>
#include <filesystem>

#include "lib/auth/passwords.h"
#include "lib/base/random.h"
#include "lib/base/text.h"

namespace postern::auth {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

meta::UserName user(std::string_view name) { return meta::UserName::from_utf8(name).value(); }

class Auth : public testing::Test {
 protected:
  Auth() : folder_(testing::TempDir() + "auth-" + random_hex(8)) {
    std::filesystem::create_directory(folder_);
    set("auth.sasldb=" + folder_ + "/sasldb2");
    set("auth.admins=Admin");
    set("auth.default_domain=example.org");
    set("auth.groups.staff=anna,bob@other.org");
  }
  ~Auth() override { std::filesystem::remove_all(folder_); }

  void set(const std::string& assignment) { ASSERT_TRUE(config_.set(assignment)) << assignment; }
  void add(std::string_view name, std::string_view password) {
    const auto done = set_password(config_, user(name), Secret(password));
    ASSERT_TRUE(done) << done.error().text;
  }
  Authenticator& authenticator() {
    if (!made_) made_ = Authenticator::create(config_).value();
    return *made_;
  }
  Result<Login> check(std::string_view name, std::string_view password) {
    return authenticator().check_password(tls_, name, Secret(password));
  }
  Result<Step> plain(const Channel& channel, const std::string& message) {
    exchange_.emplace(authenticator().begin(channel));
    return exchange_->start("PLAIN", Secret(message));
  }

  std::string folder_;
  config::Config config_ = config::Config::parse("").value();
  std::unique_ptr<Authenticator> made_;
  std::optional<Exchange> exchange_;
  Channel tls_{.protocol = "imap", .tls = true};
  Channel clear_{.protocol = "imap"};
  Channel loopback_{.protocol = "imap", .loopback = true};
};

std::string nul_separated(std::string_view authzid, std::string_view authid, std::string_view pw) {
  return std::string(authzid) + '\0' + std::string(authid) + '\0' + std::string(pw);
}

TEST_F(Auth, RightPasswordGivesTheCanonicalUserWithGroups) {
  add("anna", "secret");
  const auto login = check("ANNA@Example.org", "secret");
  ASSERT_TRUE(login) << login.error().text;
  EXPECT_EQ(login->identity.user.text(), "anna");
  EXPECT_EQ(login->authenticated.text(), "anna");
  EXPECT_FALSE(login->identity.admin);
  EXPECT_FALSE(login->proxied());
  EXPECT_THAT(login->identity.groups, ElementsAre("group:staff"));
}

TEST_F(Auth, WrongPasswordUnknownUserAndMalformedNameAreOneAnswer) {
  add("anna", "secret");
  for (const auto& [name, password] :
       {std::pair{"anna", "Secret"}, {"anna", ""}, {"nobody", "secret"}, {"a/b", "x"}, {"", "x"}}) {
    const auto login = check(name, password);
    ASSERT_FALSE(login) << name;
    EXPECT_EQ(login.error().code, Errc::auth_failed) << name << ": " << login.error().text;
  }
}

TEST_F(Auth, UsersOfADomainAreOthersThanThoseWithout) {
  add("anna", "one");
  add("anna@other.org", "two");
  EXPECT_TRUE(check("anna@other.org", "two"));
  EXPECT_FALSE(check("anna@other.org", "one"));
  EXPECT_TRUE(check("anna", "one"));
  EXPECT_THAT(list_passwords(config_).value(), ElementsAre(user("anna"), user("anna@other.org")));
}

TEST_F(Auth, ChangedAndErasedPasswordsCountAtOnce) {
  add("anna", "old");
  EXPECT_TRUE(check("anna", "old"));
  add("anna", "new");
  EXPECT_FALSE(check("anna", "old"));
  EXPECT_TRUE(check("anna", "new"));
  EXPECT_TRUE(authenticator().knows(user("anna")).value());
  ASSERT_TRUE(erase_password(config_, user("anna")));
  EXPECT_FALSE(check("anna", "new"));
  EXPECT_FALSE(authenticator().knows(user("anna")).value());
  EXPECT_TRUE(list_passwords(config_)->empty());
  EXPECT_EQ(erase_password(config_, user("anna")).error().code, Errc::no_such_user);
}

TEST_F(Auth, WithoutADatabaseNobodyIsKnown) {
  EXPECT_TRUE(list_passwords(config_)->empty());
  EXPECT_EQ(check("anna", "x").error().code, Errc::auth_failed);
  EXPECT_FALSE(authenticator().knows(user("anna")).value());
}

TEST_F(Auth, PlaintextNeedsTlsOrLoopbackAndItsOption) {
  add("anna", "secret");
  EXPECT_EQ(authenticator().check_password(clear_, "anna", Secret("secret")).error().code,
            Errc::privacy_required);
  EXPECT_EQ(authenticator().check_password(loopback_, "anna", Secret("secret")).error().code,
            Errc::privacy_required);
  EXPECT_EQ(plain(clear_, nul_separated("", "anna", "secret")).error().code,
            Errc::privacy_required);
  set("auth.plaintext_loopback=true");
  made_.reset();
  EXPECT_TRUE(authenticator().check_password(loopback_, "anna", Secret("secret")));
  EXPECT_EQ(authenticator().check_password(clear_, "anna", Secret("secret")).error().code,
            Errc::privacy_required);
}

TEST_F(Auth, AnnouncesPlaintextOnlyWhereItIsAccepted) {
  EXPECT_THAT(authenticator().mechanisms(tls_), Contains("PLAIN"));
  EXPECT_THAT(authenticator().mechanisms(tls_), Contains("SCRAM-SHA-256"));
  EXPECT_THAT(authenticator().mechanisms(tls_), Not(Contains("ANONYMOUS")));
  EXPECT_THAT(authenticator().mechanisms(tls_), Not(Contains("EXTERNAL")));
  EXPECT_THAT(authenticator().mechanisms(clear_), Not(Contains("PLAIN")));
  EXPECT_THAT(authenticator().mechanisms(clear_), Not(Contains("LOGIN")));
  EXPECT_THAT(authenticator().mechanisms(clear_), Contains("SCRAM-SHA-256"));
}

TEST_F(Auth, AnnouncesOnlyConfiguredMechanisms) {
  set("auth.mechanisms=plain,scram-sha-1");
  EXPECT_THAT(authenticator().mechanisms(tls_),
              testing::UnorderedElementsAre("PLAIN", "SCRAM-SHA-1"));
  exchange_.emplace(authenticator().begin(tls_));
  EXPECT_EQ(exchange_->start("SCRAM-SHA-256", std::nullopt).error().code, Errc::not_supported);
}

TEST_F(Auth, PlainWithInitialResponseLogsIn) {
  add("anna", "secret");
  const auto step = plain(tls_, nul_separated("", "anna", "secret"));
  ASSERT_TRUE(step) << step.error().text;
  ASSERT_TRUE(step->login);
  EXPECT_EQ(step->login->identity.user.text(), "anna");
  EXPECT_EQ(step->login->mechanism, "PLAIN");
}

TEST_F(Auth, PlainWithoutInitialResponseGetsAnEmptyChallenge) {
  add("anna", "secret");
  exchange_.emplace(authenticator().begin(tls_));
  const auto first = exchange_->start("plain", std::nullopt);
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->login);
  EXPECT_EQ(first->challenge, "");
  const auto second = exchange_->step(Secret(nul_separated("", "anna", "secret")));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->login);
}

TEST_F(Auth, AdministratorsMayActAsOthersAndNobodyElse) {
  add("admin", "secret");
  add("anna", "secret");
  const auto as_anna = plain(tls_, nul_separated("anna", "admin", "secret"));
  ASSERT_TRUE(as_anna) << as_anna.error().text;
  EXPECT_EQ(as_anna->login->identity.user.text(), "anna");
  EXPECT_EQ(as_anna->login->authenticated.text(), "admin");
  EXPECT_FALSE(as_anna->login->identity.admin);
  EXPECT_TRUE(as_anna->login->proxied());
  EXPECT_EQ(plain(tls_, nul_separated("admin", "anna", "secret")).error().code,
            Errc::no_permission);
  EXPECT_TRUE(plain(tls_, nul_separated("", "admin", "secret"))->login->identity.admin);
}

TEST_F(Auth, NonsenseInPlainIsASyntaxError) {
  EXPECT_EQ(plain(tls_, "no separators").error().code, Errc::bad_syntax);
}

TEST_F(Auth, LoginMechanismAsksForBoth) {
  add("anna", "secret");
  exchange_.emplace(authenticator().begin(tls_));
  ASSERT_TRUE(exchange_->start("LOGIN", std::nullopt)->challenge);
  ASSERT_TRUE(exchange_->step(Secret("anna"))->challenge);
  const auto last = exchange_->step(Secret("secret"));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->login->identity.user.text(), "anna");
}

TEST_F(Auth, ExternalNeedsACertificate) {
  add("anna", "secret");
  Channel channel = tls_;
  channel.client_certificate = "anna";
  EXPECT_THAT(authenticator().mechanisms(channel), Contains("EXTERNAL"));
  exchange_.emplace(authenticator().begin(channel));
  const auto step = exchange_->start("EXTERNAL", Secret(""));
  ASSERT_TRUE(step) << step.error().text;
  EXPECT_EQ(step->login->identity.user.text(), "anna");
}

// --- SCRAM-SHA-256 with a client of our own (RFC 5802 §3)

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char out[32];
  unsigned size = sizeof out;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::string sha256(std::string_view text) {
  unsigned char out[32];
  unsigned size = sizeof out;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<char*>(out), size};
}

std::string attribute(const std::string& message, char name) {
  for (const auto part : split(message, ','))
    if (part.size() > 2 && part[0] == name && part[1] == '=') return std::string(part.substr(2));
  return {};
}

std::string scram_final(std::string_view password, const std::string& client_first_bare,
                        const std::string& server_first) {
  const std::string salt = from_base64(attribute(server_first, 's')).value();
  unsigned char salted[32];
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()),
                    static_cast<int>(salt.size()), std::atoi(attribute(server_first, 'i').c_str()),
                    EVP_sha256(), 32, salted);
  const std::string key = hmac({reinterpret_cast<char*>(salted), 32}, "Client Key");
  const std::string bare = "c=biws,r=" + attribute(server_first, 'r');
  const std::string signature =
      hmac(sha256(key), client_first_bare + "," + server_first + "," + bare);
  std::string proof;
  for (std::size_t i = 0; i < 32; ++i) proof += static_cast<char>(key[i] ^ signature[i]);
  return bare + ",p=" + to_base64(proof);
}

TEST_F(Auth, ScramNeedsNoTlsAndEndsWithTheServersSignature) {
  add("anna", "secret");
  const std::string bare = "n=Anna,r=fyko+d2lbbFgONRv9qkxdawL";
  for (const std::string password : {"secret", "wrong"}) {
    exchange_.emplace(authenticator().begin(clear_));
    const auto first = exchange_->start("SCRAM-SHA-256", Secret("n,," + bare));
    ASSERT_TRUE(first) << first.error().text;
    const auto last = exchange_->step(Secret(scram_final(password, bare, *first->challenge)));
    if (password == "wrong") {
      ASSERT_FALSE(last);
      EXPECT_EQ(last.error().code, Errc::auth_failed);
      continue;
    }
    ASSERT_TRUE(last) << last.error().text;
    ASSERT_TRUE(last->login);
    EXPECT_EQ(last->login->identity.user.text(), "anna");
    EXPECT_TRUE(last->challenge->starts_with("v="));
  }
}

TEST(Secret, MovedFromHoldsNothing) {
  Secret a("octets that must not stay anywhere");
  const Secret b(std::move(a));
  EXPECT_EQ(a.reveal(), "");  // NOLINT(bugprone-use-after-move): the claim
  EXPECT_EQ(b.reveal(), "octets that must not stay anywhere");
}

}  // namespace
}  // namespace postern::auth
