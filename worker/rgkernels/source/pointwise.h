/* What is done to one element or one row: activations with their derivatives, norms. */
#ifndef RG_POINTWISE_H
#define RG_POINTWISE_H

#include "coefficients.h"
#include "vector.h"

#define DEGREE(c) ((int)(sizeof(c) / sizeof *(c)) - 1)
#define LOG2_E 1.44269504f

/* 2^x for x <= 127; 2^-126, the smallest normal number, below -126. */
INLINE vec exp2_of(vec x) {
  x = at_least(x, -126.0f);
  vec shifted = x + 12582912.0f; /* 1.5 2^23: the integer nearest to x is in the low bits */
  vec fraction = x - (shifted - 12582912.0f);
  return (vec)((bits)polynomial(fraction, EXP2, DEGREE(EXP2)) + ((bits)shifted << 23u));
}

enum activation { GELU, RELU, SILU, TANH_, ACTIVATIONS };

/* f(x) and f'(x). */
INLINE void gelu(vec x, vec *value, vec *slope) { /* x Phi(x), Phi(-|x|) = erfc(|x| / sqrt 2) / 2 */
  vec t = 1.0f / (1.0f + magnitude(x) * (ERFC_SLOPE * 0.70710678f));
  vec bell = exp2_of(x * x * (-0.5f * LOG2_E));
  vec tail = polynomial(t, ERFC, DEGREE(ERFC)) * bell;
  vec phi = either((bits)(x > 0.0f), 1.0f - tail, tail);
  *value = x * phi;
  *slope = phi + x * bell * 0.39894228f; /* 1 / sqrt(2 pi) */
}
INLINE void relu(vec x, vec *value, vec *slope) {
  *value = at_least(x, 0.0f);
  *slope = either((bits)(x > 0.0f), all(1.0f), all(0.0f));
}
INLINE void silu(vec x, vec *value, vec *slope) { /* x s(x) */
  vec s = 1.0f / (1.0f + exp2_of(at_most(x * -LOG2_E, 126.0f)));
  *value = x * s;
  *slope = s * (1.0f + x * (1.0f - s));
}
INLINE void hyperbolic(vec x, vec *value, vec *slope) {
  vec size = magnitude(x), square = x * x;
  vec near = x + x * square * polynomial(square, TANH, DEGREE(TANH));
  vec far = 1.0f - 2.0f / (1.0f + exp2_of(at_most(size * (2 * LOG2_E), 126.0f)));
  far = either((bits)(x < 0.0f), -far, far);
  *value = either((bits)(size < TANH_BELOW), near, far);
  *slope = 1.0f - *value * *value;
}

/* A block of rows: their values in place, and the derivatives beside them. */
typedef struct {
  float *value, *slope;
  long row;
} activated;

#define ACTIVATE(NAME)                                                                        \
  static void activate_##NAME(void *with, long first, long rows, long column, long columns) { \
    activated *a = with;                                                                      \
    for (long r = first; r < first + rows; r++)                                               \
      for (long j = column; j < column + columns; j += LANES) {                               \
        vec value, slope;                                                                     \
        NAME(load(a->value + r * a->row + j), &value, &slope);                                \
        store(a->value + r * a->row + j, value);                                              \
        store(a->slope + r * a->row + j, slope);                                              \
      }                                                                                       \
  }
ACTIVATE(gelu) ACTIVATE(relu) ACTIVATE(silu) ACTIVATE(hyperbolic)

typedef void of_a_block(void *with, long first, long rows, long column, long columns);
static of_a_block *const ACTIVATE_[ACTIVATIONS] = {activate_gelu, activate_relu, activate_silu,
                                                   activate_hyperbolic};

/* The chain rule: the gradient of the values, in place, times the derivatives. */
static void times_slope(void *with, long first, long rows, long column, long columns) {
  activated *a = with;
  for (long r = first; r < first + rows; r++)
    for (long j = column; j < column + columns; j += LANES) {
      long at = r * a->row + j;
      store(a->value + at, load(a->value + at) * load(a->slope + at));
    }
}

enum norm { LAYER, NO_NORM, RMS };

/* Which lanes of the last vector of a row of `width` floats are of it. */
INLINE bits inside(long width) {
  bits mask;
  for (int i = 0; i < LANES; i++) mask[i] = padded(width) - LANES + i < width ? ~0u : 0u;
  return mask;
}

/* u = (x - mean) / sqrt(variance + eps) of each row; the factor of each row. Padding stays 0. */
static void normalise(enum norm norm, float eps, const float *x, float *u, float *factor, long rows,
                      long width, long row) {
  long wide = padded(width);
  bits last = inside(width);
  for (long r = 0; r < rows; r++, x += row, u += row) {
    if (norm == NO_NORM) {
      memcpy(u, x, wide * sizeof *u);
      continue;
    }
    float mean = 0;
    if (norm == LAYER) {
      vec sum = {0};
      for (long j = 0; j < wide; j += LANES) sum += load(x + j);
      mean = sum_of(sum) / width;
    }
    vec square = {0};
    for (long j = 0; j < wide; j += LANES) {
      vec centred = load(x + j) - mean;
      if (j + LANES == wide) centred = (vec)((bits)centred & last);
      square += centred * centred;
    }
    float k = factor[r] = 1.0f / sqrtf(sum_of(square) / width + eps);
    for (long j = 0; j < wide; j += LANES) {
      vec centred = load(x + j) - mean;
      if (j + LANES == wide) centred = (vec)((bits)centred & last);
      store(u + j, centred * k);
    }
  }
}

/* dx (+)= (du - mean(du) - u mean(u du)) times the factor of the row. */
static void normalise_back(enum norm norm, const float *du, const float *u, const float *factor,
                           float *dx, long rows, long width, long row, int adds) {
  long wide = padded(width);
  bits last = inside(width);
  for (long r = 0; r < rows; r++, du += row, u += row, dx += row) {
    float mean = 0, along = 0, k = factor[r];
    if (norm != NO_NORM) {
      vec sum = {0}, dot = {0};
      for (long j = 0; j < wide; j += LANES) {
        vec a = load(du + j);
        sum += a;
        dot += a * load(u + j);
      }
      mean = norm == LAYER ? sum_of(sum) / width : 0;
      along = sum_of(dot) / width;
    }
    for (long j = 0; j < wide; j += LANES) {
      vec y = load(du + j);
      if (norm != NO_NORM) y = (y - mean - load(u + j) * along) * k;
      if (j + LANES == wide) y = (vec)((bits)y & last);
      store(dx + j, adds ? load(dx + j) + y : y);
    }
  }
}

/* out += the sum over rows. */
static void add_rows(const float *x, long rows, long wide, long row, float *out) {
  for (long j = 0; j < wide; j += LANES) {
    vec even = load(out + j), odd = {0}; /* two sums, since an addition has to wait for the last */
    long r = 0;
    for (; r + 1 < rows; r += 2) {
      even += load(x + r * row + j);
      odd += load(x + (r + 1) * row + j);
    }
    if (r < rows) even += load(x + r * row + j);
    store(out + j, even + odd);
  }
}

#endif
