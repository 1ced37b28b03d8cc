#include "infoscissors/base/spec.h"

#include "infoscissors/base/registry.h"
#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::base {
namespace {

using testing::HasSubstr;

using Options = std::vector<std::pair<std::string, std::string>>;

std::string parse_error(const std::string& text) {
  return error_of([&] { parse_spec(text); });
}

TEST(Spec, NameAndOptionsAreRead) {
  EXPECT_EQ(parse_spec("none").name, "none");
  EXPECT_TRUE(parse_spec("none()").options.empty());
  const Spec spec = parse_spec("  infoscissors ( input = 0.1 , psi=conv,inner=f(a=1,b=2) ) ");
  EXPECT_EQ(spec.name, "infoscissors");
  EXPECT_EQ(spec.options, (Options{{"input", "0.1"}, {"psi", "conv"}, {"inner", "f(a=1,b=2)"}}));
  EXPECT_EQ(parse_spec("a(b=)").options, (Options{{"b", ""}}));
}

TEST(Spec, MalformedTextsAreErrors) {
  EXPECT_EQ(parse_error(""), "usage: '': the name is missing; a method is written name(key=value,...)");
  EXPECT_THAT(parse_error("(a=1)"), HasSubstr("the name is missing"));
  EXPECT_THAT(parse_error("a b"), HasSubstr("'a b' is not a name"));
  EXPECT_THAT(parse_error("a(b=1"), HasSubstr("the closing parenthesis is missing"));
  EXPECT_THAT(parse_error("a(b=1)c"), HasSubstr("the closing parenthesis is missing"));
  EXPECT_THAT(parse_error("a(b)"), HasSubstr("'b' is not key=value"));
  EXPECT_THAT(parse_error("a(b=1,)"), HasSubstr("'' is not key=value"));
  EXPECT_THAT(parse_error("a(=1)"), HasSubstr("'=1' is not key=value"));
  EXPECT_THAT(parse_error("a(b=(1)"), HasSubstr("its parentheses do not match"));
  EXPECT_THAT(parse_error("a(b=1))"), HasSubstr("its parentheses do not match"));
  EXPECT_THAT(parse_error("a(b=)(1)"), HasSubstr("its parentheses do not match"));
}

TEST(Specs, ComposeInOrder) {
  const auto specs = parse_specs("infoscissors(input=1e+0) + an(scale=0.1)");
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].options, (Options{{"input", "1e+0"}}));
  EXPECT_EQ(specs[1].name, "an");
  EXPECT_TRUE(parse_specs("  ").empty());
  EXPECT_THROW(parse_specs("a++b"), UsageError);
}

struct MethodOptions {
  double scale = 0.1;
  std::int64_t steps = 3;
  std::string mode = "conv";
  std::vector<std::string> list;
  Fields fields() {
    return {{"scale", &scale, any(), ""},
            {"steps", &steps, any(), ""},
            {"mode", &mode, any(), ""},
            {"list", &list, any(), ""}};
  }
};

std::string canonical(const std::string& text) {
  MethodOptions example, fresh;
  const Spec spec = parse_spec(text);
  assign(example.fields(), spec, "[x]");
  return print_spec(spec.name, example.fields(), to_json(fresh.fields()));
}

TEST(Spec, PrintsOnlyWhatDiffersInDeclarationOrder) {
  EXPECT_EQ(canonical("x"), "x");
  EXPECT_EQ(canonical("x(scale=0.1)"), "x");
  EXPECT_EQ(canonical("x( steps = 5, scale=0.30 )"), "x(scale=0.3,steps=5)");
}

TEST(Spec, PrintedTextsParseToTheSame) {
  for (const char* text :
       {"x(scale=1e-300)", "x(scale=0.30000000000000004,steps=-7,mode=linear)", "x(list=ka(a=1);pmc)"}) {
    EXPECT_EQ(canonical(text), text);
    EXPECT_EQ(canonical(canonical(text)), canonical(text));
  }
}

TEST(Spec, AKeyGivenTwiceIsAnError) {
  EXPECT_EQ(error_of([] { canonical("x(steps=1,steps=2)"); }), "usage: [x] steps is given twice");
}

struct Method {
  MethodOptions options;
};

Registry<Method> example_registry() {
  Registry<Method> registry("method");
  for (const char* name : {"zeta", "alpha", "mid"}) {
    registry.add(make_entry<Method, MethodOptions>({name, "does " + std::string(name), "a paper"}, {{"goal", "input"}},
                                                   [](const MethodOptions& options) { return Method{options}; }));
  }
  return registry;
}

TEST(Registry, IsSortedByNameWhateverTheOrderOfRegistration) {
  EXPECT_EQ(example_registry().names(), (std::vector<std::string>{"alpha", "mid", "zeta"}));
}

TEST(Registry, MakesAndPrintsFromTheOneDescription) {
  const auto registry = example_registry();
  EXPECT_EQ(registry.make(parse_spec("mid(steps=9)")).options.steps, 9);
  EXPECT_EQ(registry.make(parse_spec("mid")).options.steps, 3);
  const auto& entry = registry.find("mid");
  EXPECT_EQ(entry.canonical(parse_spec("mid(steps=3,scale=2)")), "mid(scale=2.0)");
  EXPECT_EQ(entry.options[1]["default"], 3);
  EXPECT_EQ(entry.traits["goal"], "input");
  EXPECT_EQ(entry.doc.summary, "does mid");
}

TEST(Registry, ErrorsNameTheMethod) {
  const auto registry = example_registry();
  EXPECT_EQ(error_of([&] { registry.find("alpa"); }), "usage: there is no method 'alpa': did you mean 'alpha'?");
  EXPECT_EQ(error_of([&] { registry.make(parse_spec("mid(step=1)")); }),
            "usage: [mid] has no option 'step': did you mean 'steps'?");
}

}  // namespace
}  // namespace infoscissors::base
