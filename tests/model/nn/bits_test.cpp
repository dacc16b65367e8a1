// Packed signs, and the blocks on top of them against the blocks on latents.
#include "nn/bits.h"

#include <gtest/gtest.h>

#include "nn/bit_linear.h"
#include "nn/sign_embedding.h"
#include "nn/strict_linear.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

TEST(Bits, PackAndUnpackAreInverse) {
  for (const int64_t columns : {1, 63, 64, 65, 130}) {
    const at::Tensor expected = signs({5, columns}, static_cast<uint64_t>(columns));
    const at::Tensor bits = pack_bits(expected.gt(0));
    EXPECT_EQ(bits.sizes(), (at::IntArrayRef{5, words_of(columns)}));
    EXPECT_TRUE(same(unpack_signs(bits, columns, at::kFloat), expected)) << columns;
  }
}

TEST(Bits, LeastSignificantFirstAndPaddedWithZeros) {
  at::Tensor mask = at::zeros({1, 70}, at::kBool);
  mask[0][0] = true;
  mask[0][3] = true;
  mask[0][69] = true;
  const at::Tensor bits = pack_bits(mask);
  EXPECT_EQ(bits[0][0].item<int64_t>(), 9);
  EXPECT_EQ(bits[0][1].item<int64_t>(), 32);
}

TEST(Bits, UnpackingGivesTheAskedType) {
  const at::Tensor expected = signs({3, 70}, 1);
  const at::Tensor half = unpack_signs(pack_bits(expected.gt(0)), 70, at::kBFloat16);
  EXPECT_EQ(half.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(same(half.to(at::kFloat), expected));
}

class Blocks final : public Model {
 public:
  ParameterSink sink() { return ParameterSink(*this); }
  at::Tensor forward(const at::Tensor&, const StepContext&) override { return {}; }
};

// Gives the latents of `strict` the signs that `bits` holds.
void copy_signs(Blocks& strict, const Blocks& bits) {
  const at::NoGradGuard no_grad;
  for (const BitMatrix& matrix : bits.bit_matrices()) {
    for (const Parameter& parameter : strict.parameters()) {
      if (parameter.name != matrix.name) continue;
      at::Tensor latent = parameter.tensor;
      latent.copy_(unpack_signs(matrix.bits, matrix.columns, at::kFloat));
    }
  }
}

class BitLinearPaths : public testing::TestWithParam<Path> {};

TEST_P(BitLinearPaths, ValuesAndGradientsOfTheStrictLinear) {
  const ForcePath forced(GetParam());
  for (const OutputSign output : {OutputSign::clipped, OutputSign::none, OutputSign::identity}) {
    Blocks packed, latent;
    const BitLinear linear(packed.sink(), 70, 24, output);
    const StrictLinear strict(latent.sink(), 70, 24, output);
    copy_signs(latent, packed);
    const at::Tensor x = leaf(signs({2, 9, 70}, 3)), x2 = leaf(x);
    const at::Tensor y = linear.forward(x), y2 = strict.forward(x2);
    EXPECT_TRUE(same(y, y2));
    const auto found = gradients_of(y, {x, packed.bit_matrices()[0].port, packed.parameters()[0].tensor});
    const auto expected = gradients_of(y2, {x2, latent.parameters()[0].tensor, latent.parameters()[1].tensor});
    for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(near(found[i], expected[i], 1e-6)) << i;
  }
}

TEST_P(BitLinearPaths, EmbeddingAndHead) {
  const ForcePath forced(GetParam());
  Blocks packed, latent;
  const BitEmbedding embedding(packed.sink().scope("embedding"), 11, 70);
  const BitHead head(packed.sink().scope("head"), 11, 70);
  const SignEmbedding embedding2(latent.sink().scope("embedding"), 11, 70);
  const SignHead head2(latent.sink().scope("head"), 11, 70);
  copy_signs(latent, packed);
  const at::Tensor tokens = at::arange(22).view({2, 11}).remainder(7);  // symbols 7 to 10 do not occur
  const at::Tensor y = head.forward(embedding.forward(tokens)), y2 = head2.forward(embedding2.forward(tokens));
  EXPECT_TRUE(near(y, y2, 1e-6));
  const auto found = gradients_of(y, {packed.bit_matrices()[0].port, packed.bit_matrices()[1].port});
  std::vector<at::Tensor> latents;
  for (const Parameter& parameter : latent.parameters())
    if (parameter.tensor.dim() == 2) latents.push_back(parameter.tensor);
  const auto expected = gradients_of(y2, latents);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(near(found[i], expected[i], 1e-5)) << i;
}

INSTANTIATE_TEST_SUITE_P(Paths, BitLinearPaths, kPaths);

TEST(BitMatrix, HasNoFloatOfItsOwn) {
  Blocks model;
  const BitLinear linear(model.sink(), 1024, 512);
  EXPECT_EQ(model.bit_matrices()[0].bits.nbytes(), 1024u * 512 / 8);
  EXPECT_EQ(model.bit_matrices()[0].port.storage().nbytes(), sizeof(float));
  EXPECT_EQ(model.parameters().size(), 1u);  // the threshold
}

}  // namespace
}  // namespace bitsweep::nn
