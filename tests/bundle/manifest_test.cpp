#include "infoscissors/bundle/manifest.h"

#include "tests/bundle/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

namespace infoscissors::bundle {
namespace {

using base::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using tests::message_of;
namespace fs = std::filesystem;

/// The document of one half, changed, with a digest that fits: what is refused is the change itself.
std::string changed(Part part, const std::function<void(Json&)>& change) {
  const auto halves = tests::sample_halves();
  Json document = to_json(part == Part::device ? halves.device : halves.server);
  change(document);
  document.erase("digest");
  document["digest"] = sha256(document.dump());
  return document.dump();
}

std::string refusal(const std::string& text) {
  return message_of([&] { parse_manifest(text, "manifest.json"); });
}

std::string refusal(Part part, const std::function<void(Json&)>& change) {
  return refusal(changed(part, change));
}

TEST(Sha256, IsTheStandardsOwn) {
  // FIPS 180-4's examples.
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Manifest, ReadsWhatItWrites) {
  const auto halves = tests::sample_halves();
  for (const auto& half : {halves.device, halves.server}) {
    const auto read = parse_manifest(to_json(half).dump(), "manifest.json");
    EXPECT_EQ(to_json(read), to_json(half));
    EXPECT_EQ(read.device.has_value(), half.part == Part::device);
  }
}

TEST(Manifest, TheServersHalfHasNoMemberOfTheDevices) {
  const auto halves = tests::sample_halves();
  const auto text = to_json(halves.server).dump();
  for (const char* secret : {"cat", "dog", "an(", "defense", "head", "classifier", "mean"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  }
}

TEST(Manifest, VersionIsOfTheContentOfBoth) {
  const auto halves = tests::sample_halves();
  EXPECT_EQ(halves.server.version.size(), 16U);
  auto other = halves;
  other.device.device->classes[1] = "cow";
  EXPECT_NE(version_of(other.device, other.server), halves.server.version);
  other = halves;
  other.server.files[kEncoder].sha256[0] ^= 1;
  EXPECT_NE(version_of(other.device, other.server), halves.server.version);
  other = halves;
  other.device.version = "0123456789abcdef";
  EXPECT_EQ(version_of(other.device, other.server), halves.server.version) << "not of the version it carries";
}

TEST(Manifest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["schema"] = 2; }), HasSubstr("schema 2 is not known here"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["schema"] = "1"; }), HasSubstr("schema"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["colour"] = 1; }), HasSubstr("unknown key \"colour\""));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["a\nb"] = 1; }), HasSubstr("unknown key"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["device"] = Json::object(); }), HasSubstr("unknown key"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["part"] = "middle"; }), HasSubstr("server or device"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["files"]["encoder.pt"]["mode"] = 1; }), HasSubstr("unknown key"));
  EXPECT_THAT(refusal(Part::device, [](Json& d) { d["device"]["colour"] = 1; }), HasSubstr("unknown key"));
}

TEST(Manifest, RefusesWhatIsMissing) {
  for (const char* key : {"schema", "part", "model", "version", "files", "inputs", "outputs"}) {
    EXPECT_THAT(refusal(Part::server, [&](Json& d) { d.erase(key); }), AllOf(HasSubstr(key), HasSubstr("is missing")));
  }
  for (const char* key : {"classes", "image", "mean", "std", "defense", "release"}) {
    EXPECT_THAT(refusal(Part::device, [&](Json& d) { d["device"].erase(key); }), HasSubstr(key));
  }
  for (const char* file : {kHead, kClassifier, kRelease}) {
    EXPECT_THAT(refusal(Part::device, [&](Json& d) { d["files"].erase(file); }), HasSubstr(file));
  }
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["outputs"] = Json::array(); }), HasSubstr("one tensor"));
}

TEST(Manifest, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../x", "a/b", "/etc/passwd", "..", ".hidden", "", "a\\b", "manifest.json", "-rf"}) {
    EXPECT_THAT(refusal(Part::server, [&](Json& d) { d["files"][name] = d["files"][kEncoder]; }),
                HasSubstr("names no file of this folder"))
        << name;
  }
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["files"][std::string("a\0b", 3)] = d["files"][kEncoder]; }),
              HasSubstr("names no file"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["files"][std::string(65, 'a')] = d["files"][kEncoder]; }),
              HasSubstr("names no file"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["model"] = "../net"; }), HasSubstr("'model' must be a name"));
}

TEST(Manifest, RefusesImpossibleSizes) {
  const std::vector<Json> shapes = {Json::array(), {-1}, {1, 4}, {-1, 0}, {-1, -4}, {-1, 65536, 65536, 65536},
                                    {-1, 1.5},     "x"};
  for (const auto& shape : shapes) {
    EXPECT_THAT(refusal(Part::server, [&](Json& d) { d["inputs"][0]["shape"] = shape; }), HasSubstr("shape"))
        << shape.dump();
  }
  for (const Json& bytes : {Json(-1), Json(1.5), Json("12"), Json(kMaxFileBytes + 1)}) {
    EXPECT_THAT(refusal(Part::server, [&](Json& d) { d["files"][kEncoder]["bytes"] = bytes; }), HasSubstr("bytes"));
  }
  EXPECT_THAT(refusal(Part::device, [](Json& d) { d["device"]["image"] = {2, 8, 8}; }), HasSubstr("image"));
  EXPECT_THAT(refusal(Part::device, [](Json& d) { d["device"]["mean"] = {0.1, 0.2}; }), HasSubstr("mean"));
  EXPECT_THAT(refusal(Part::device, [](Json& d) { d["device"]["classes"] = {"one"}; }), HasSubstr("classes"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["inputs"][0]["datatype"] = "BYTES"; }), HasSubstr("FP32"));
  EXPECT_THAT(refusal(Part::server, [](Json& d) { d["version"] = "0123456789ABCDEF"; }), HasSubstr("version"));
}

TEST(Manifest, RefusesAChangeThatTheDigestDoesNotKnow) {
  auto document = to_json(tests::sample_halves().device);
  document["device"]["classes"] = {"dog", "cat"};
  EXPECT_THAT(refusal(document.dump()), HasSubstr("does not match its digest"));
}

TEST(Manifest, RefusesWhatIsNoManifest) {
  EXPECT_THAT(refusal("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(refusal(std::string(100000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal(std::string(kMaxManifestBytes + 1, ' ')), HasSubstr("larger"));
}

TEST(Verify, TakesAWholeBundle) {
  const tests::TemporaryDirectory directory;
  tests::write_halves(directory.path(), tests::sample_halves());
  const auto halves = verify_bundle(directory.path());
  EXPECT_EQ(halves.device.version, halves.server.version);
  EXPECT_EQ(read_part(directory / "server", halves.server, kEncoder), "encoder's bytes");
}

TEST(Verify, FindsAFlippedByte) {
  const tests::TemporaryDirectory directory;
  tests::write_halves(directory.path(), tests::sample_halves(), "encoder's bytfs");
  EXPECT_THAT(message_of([&] { verify_bundle(directory.path()); }),
              AllOf(HasSubstr("encoder.pt"), HasSubstr("SHA-256")));
}

TEST(Verify, ComparesTheSizeBeforeItReads) {
  const tests::TemporaryDirectory directory;
  tests::write_halves(directory.path(), tests::sample_halves());
  // A sparse file of 1 TB: read, it would not end.
  fs::resize_file(directory / "server" / kEncoder, std::uintmax_t{1} << 40);
  EXPECT_THAT(message_of([&] { verify_bundle(directory.path()); }), HasSubstr("bytes instead of 15"));
}

TEST(Verify, FindsMissingAndForeignFiles) {
  const tests::TemporaryDirectory directory;
  tests::write_halves(directory.path(), tests::sample_halves());
  base::write_file(directory / "server" / "notes.txt", "x");
  EXPECT_THAT(message_of([&] { verify_bundle(directory.path()); }),
              AllOf(HasSubstr("notes.txt"), HasSubstr("is not listed")));
  fs::remove(directory / "server" / "notes.txt");
  fs::remove(directory / "device" / kHead);
  EXPECT_THAT(message_of([&] { verify_bundle(directory.path()); }),
              AllOf(HasSubstr("head.pt"), HasSubstr("is missing")));
  fs::create_directory(directory / "device" / kHead);
  EXPECT_THAT(message_of([&] { verify_half(directory / "device"); }), HasSubstr("not a regular file"));
}

TEST(Verify, FindsHalvesOfDifferentExports) {
  const tests::TemporaryDirectory directory;
  tests::write_halves(directory / "a", tests::sample_halves());
  tests::write_halves(directory / "b", tests::sample_halves("other bytes"), "other bytes");
  fs::remove_all(directory / "a" / "server");
  fs::copy(directory / "b" / "server", directory / "a" / "server", fs::copy_options::recursive);
  EXPECT_THAT(message_of([&] { verify_bundle(directory / "a"); }), HasSubstr("different exports"));
}

TEST(Verify, FindsAVersionThatIsNotOfTheContent) {
  const tests::TemporaryDirectory directory;
  auto halves = tests::sample_halves();
  halves.device.version = halves.server.version = "0123456789abcdef";
  tests::write_halves(directory.path(), halves);
  EXPECT_THAT(message_of([&] { verify_bundle(directory.path()); }), HasSubstr("not that of their content"));
}

TEST(Verify, TellsTheHalvesApart) {
  const tests::TemporaryDirectory directory;
  tests::write_halves(directory.path(), tests::sample_halves());
  EXPECT_THAT(message_of([&] { load_manifest(directory / "server", Part::device); }),
              AllOf(HasSubstr("the server's half"), HasSubstr("the device's half is needed")));
  EXPECT_THAT(message_of([&] { load_manifest(directory.path(), Part::device); }), HasSubstr("name one of them"));
  EXPECT_THAT(message_of([&] { load_manifest(directory / "nowhere"); }), HasSubstr("is not a directory"));
}

}  // namespace
}  // namespace infoscissors::bundle
