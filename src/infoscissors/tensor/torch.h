#pragma once

/// What this project uses of libtorch's C++ front end. <torch/torch.h> would bring every layer, the data loaders and
/// the serialisation into each file, which doubles its compile time even from a precompiled header. Files that build
/// networks include the layers they use.
#include <torch/autograd.h>
#include <torch/cuda.h>
#include <torch/nn/module.h>
#include <torch/types.h>
