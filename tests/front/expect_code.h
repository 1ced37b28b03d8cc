#pragma once

#include "infoscissors/wire/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::front {

/// Runs `action`, which must throw wire::Error, and returns its code and message as "code: message".
template <class Action>
std::string refusal_of(Action action) {
  try {
    action();
  } catch (const wire::Error& error) {
    return std::string(wire::name(error.code())) + ": " + error.what();
  }
  return "nothing was refused";
}

}  // namespace infoscissors::front
