#include "infoscissors/front/route.h"

#include "tests/front/expect_code.h"

namespace infoscissors::front {
namespace {

using testing::StartsWith;

TEST(Route, KnowsTheProtocolsPaths) {
  EXPECT_EQ(parse_route("/v2").kind, Route::Kind::server_metadata);
  EXPECT_EQ(parse_route("/v2/health/live").kind, Route::Kind::live);
  EXPECT_EQ(parse_route("/v2/health/ready?verbose").kind, Route::Kind::ready);
  EXPECT_EQ(parse_route("/metrics").kind, Route::Kind::metrics);
  const auto metadata = parse_route("/v2/models/enc");
  EXPECT_EQ(metadata.kind, Route::Kind::model_metadata);
  EXPECT_EQ(metadata.model, "enc");
  EXPECT_EQ(metadata.version, "");
  const auto ready = parse_route("/v2/models/enc/ready");
  EXPECT_EQ(ready.kind, Route::Kind::model_ready);
  const auto infer = parse_route("/v2/models/enc/versions/0123456789abcdef/infer");
  EXPECT_EQ(infer.kind, Route::Kind::infer);
  EXPECT_EQ(infer.version, "0123456789abcdef");
  EXPECT_EQ(parse_route("/v2/models/enc/versions/1").kind, Route::Kind::model_metadata);
}

TEST(Route, NamesAreDecodedAfterThePathIsSplit) {
  EXPECT_EQ(parse_route("/v2/models/a%2Fb%20c/infer").model, "a/b c");
  EXPECT_EQ(parse_route("/v2/models/a%00b/infer").model, std::string("a\0b", 3));
  EXPECT_EQ(parse_route("/v2/models/%2e%2e%2fpasswd/infer").model, "../passwd");
}

TEST(Route, RefusesOtherPaths) {
  for (const auto* path : {"", "/", "/v1", "/v2/health", "/v2/models", "/v2/models/", "/v2/models/a/b",
                           "/v2/models/a/infer/", "/v2/models/../../etc/passwd", "/v2/models/a/versions//infer",
                           "/v2/models//infer", "/v2/models/a/versions/1/infer/x", "/v2x"}) {
    EXPECT_THAT(refusal_of([&] { parse_route(path); }), StartsWith("not_found: there is no '")) << path;
  }
}

TEST(Route, RefusesBrokenEscapes) {
  for (const auto* path : {"/v2/models/a%/infer", "/v2/models/a%4/infer", "/v2/models/a%4g/infer", "/v2/models/%zz"}) {
    EXPECT_THAT(refusal_of([&] { parse_route(path); }), StartsWith("invalid_argument: ")) << path;
  }
}

TEST(Route, AMessageNeverRepeatsALongOrUnprintablePath) {
  const auto message = refusal_of([] { parse_route("/x\r\n" + std::string(1000000, 'a')); });
  EXPECT_LT(message.size(), 200U);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Route, SaysItsMethods) {
  EXPECT_TRUE(parse_route("/v2/models/a/infer").allows("POST"));
  EXPECT_FALSE(parse_route("/v2/models/a/infer").allows("GET"));
  EXPECT_TRUE(parse_route("/v2").allows("HEAD"));
  EXPECT_FALSE(parse_route("/v2").allows("POST"));
  EXPECT_TRUE(parse_route("/v2").allows("OPTIONS"));
}

}  // namespace
}  // namespace infoscissors::front
