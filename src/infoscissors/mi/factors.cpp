#include "infoscissors/mi/factors.h"

#include <algorithm>
#include <limits>

namespace infoscissors::mi {

torch::Tensor Factors::diagonal() const {
  const auto n = std::min(left.size(0), right.size(0));
  return (left.narrow(0, 0, n) * right.narrow(0, 0, n)).sum(1) + left_bias.narrow(0, 0, n) + right_bias.narrow(0, 0, n);
}

torch::Tensor Factors::all() const {
  return left.matmul(right.t()) + left_bias.unsqueeze(1) + right_bias;
}

Factors Factors::slice(std::int64_t begin, std::int64_t end) const {
  return {left.slice(0, begin, end), left_bias.slice(0, begin, end), right.slice(0, begin, end),
          right_bias.slice(0, begin, end)};
}

LogSums off_diagonal_log_sums(const Factors& factors, std::optional<double> clip) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  const auto m = factors.left.size(0);
  const auto n = factors.right.size(0);
  std::vector<torch::Tensor> rows;
  auto columns = torch::full({n}, kNone, factors.left.options());
  for (std::int64_t begin = 0; begin < m; begin += kBlock) {
    const auto end = std::min(begin + kBlock, m);
    auto block = torch::addmm(factors.right_bias, factors.left.slice(0, begin, end), factors.right.t());
    block = block + factors.left_bias.slice(0, begin, end).unsqueeze(1);
    if (clip) block = block.clamp(-*clip, *clip);
    // The true pair is removed, not reduced by a constant: what remains is exact however large it was.
    if (begin < n) block.narrow(1, begin, std::min(end, n) - begin).diagonal().fill_(kNone);
    rows.push_back(block.logsumexp(1));
    columns = torch::logaddexp(columns, block.logsumexp(0));
  }
  return {torch::cat(rows), columns};
}

Factors gaussian_factors(const torch::Tensor& u, const torch::Tensor& v, const torch::Tensor& rho) {
  const auto d = rho.size(0);
  const auto rest = 1 - rho.square();
  const auto shared_u = u.narrow(1, 0, d);
  const auto shared_v = v.narrow(1, 0, d);
  const auto curvature = rho.square() / rest;
  return {.left = shared_u * (rho / rest),
          .left_bias = -0.5 * (shared_u.square() * curvature).sum(1),
          .right = shared_v,
          .right_bias = -0.5 * (shared_v.square() * curvature).sum(1) - 0.5 * rest.log().sum()};
}

torch::Tensor infonce_terms(const Factors& factors) {
  const auto n = factors.right.size(0);
  const auto positive = factors.diagonal();
  const double log_n = std::log(static_cast<double>(n));
  if (n <= kBlock) return positive - factors.all().logsumexp(1) + log_n;
  return positive - torch::logaddexp(off_diagonal_log_sums(factors).rows, positive) + log_n;
}

std::int64_t piece_count(std::int64_t pairs) {
  return std::max<std::int64_t>(1, (pairs + kPiece - 1) / kPiece);
}

}  // namespace infoscissors::mi
