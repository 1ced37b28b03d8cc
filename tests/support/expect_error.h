#pragma once

#include "infoscissors/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace infoscissors::tests {

/// The one-line message of the Failure that `action` throws; a test failure if it throws nothing.
template <class Failure = base::Error, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Failure& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace infoscissors::tests
