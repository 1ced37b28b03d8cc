#include "cli/command.h"

#include "infoscissors/base/machine.h"
#include "infoscissors/image/image.h"
#include "infoscissors/tensor/device.h"

namespace infoscissors::cli {

void add_version(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("version", "Version, commit, libtorch, components and machine");
  command->callback([&common] {
    const auto runtime = tensor::make_runtime(common.device, common.precision, common.threads);
    const base::Json document = {{"version", base::version()},
                                 {"commit", base::commit()},
                                 {"libtorch", tensor::libtorch_version()},
                                 {"codecs", image::codecs_available()},
                                 {"device", runtime.device.str()},
                                 {"bf16", tensor::has_bf16(runtime.device)},
                                 {"threads", runtime.threads},
                                 {"machine", base::describe_machine()}};
    emit(common, document,
         fmt::format("infoscissors {} (commit {})\nlibtorch {}, device {}, bf16 {}, threads {}, codecs {}\n",
                     base::version(), base::commit(), tensor::libtorch_version(), runtime.device.str(),
                     tensor::has_bf16(runtime.device) ? "yes" : "no", runtime.threads,
                     image::codecs_available() ? "yes" : "no"));
  });
}

}  // namespace infoscissors::cli
