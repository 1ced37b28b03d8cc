#pragma once

namespace infoscissors::base {

/// For std::unique_ptr over what a C library frees with a function of its own:
/// std::unique_ptr<X509, Deleter<X509_free>>.
template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace infoscissors::base
