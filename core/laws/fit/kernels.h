// The loops over points in which a fit spends its time, compiled for each CPU and chosen when the program starts.
//
// Sums run in eight lanes of fixed order and nothing is contracted, so that every CPU gives the same bits and the grid
// of starts ends in the same minima everywhere. Arrays hold n doubles; columns of a matrix follow each other.
#pragma once

#include <cstdint>

namespace bitsweep::fit {

// out = e^(factor·x), within 2 ulp; 0 below −708, e^709 above.
void exp_scaled(const double* x, double factor, double* out, int64_t n);

// loss = Σ_k amplitude_k · basis[:, k] and residual = log loss − log_loss, log within 2 ulp. False when a loss is not
// positive and finite; the residual is then not to be used.
bool mix(const double* basis, const double* amplitudes, int terms, const double* log_loss, double* loss,
         double* residual, int64_t n);

// out = amplitude · column / loss, or that added to out.
void add_share(const double* column, double amplitude, const double* loss, bool add, double* out, int64_t n);

// Σ w ρ_δ(r); least squares for δ = infinity.
double huber_sum(const double* residual, const double* weight, double delta, int64_t n);

// What the derivatives of the objective weigh points with, of residuals r, weights w and losses L:
// pull = w ψ(r), pull_share = pull / L, flat = w ψ(r)/r, curved = w [|r| <= δ] − pull.
void huber_weights(const double* residual, const double* weight, const double* loss, double delta, double* pull,
                   double* pull_share, double* flat, double* curved, int64_t n);

double dot(const double* a, const double* b, int64_t n);

// first = Jᵀ diag(u) J and second = Jᵀ diag(v) J in the lower triangles, column-major [p, p]. `scaled`: room for 2n.
void two_grams(const double* jacobian, int p, const double* u, const double* v, double* scaled, double* first,
               double* second, int64_t n);

}  // namespace bitsweep::fit
