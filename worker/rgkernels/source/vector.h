/* Vectors of LANES floats, by the compiler's vector extensions: no instruction is named here. */
#ifndef RG_VECTOR_H
#define RG_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef LANES
#error "LANES, the floats in a vector, is given by whoever compiles: 16, 8 or 4"
#endif

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
typedef float unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vec load(const float *at) { return *(const unaligned *)at; }
INLINE void store(float *at, vec x) { *(unaligned *)at = x; }

/* x - 0 is x for every x, so that compilers make one broadcast of it; 0 + x is not: -0 + 0 is 0. */
INLINE vec all(float x) { return x - (vec){0}; }

/* Where `mask` is all ones the first, elsewhere the second. */
INLINE vec either(bits mask, vec yes, vec no) {
  return (vec)((mask & (bits)yes) | (~mask & (bits)no));
}

/* A NaN is below nothing and above nothing, so that both hand it through. */
INLINE vec at_least(vec x, float low) {
  vec bound = all(low);
  return either((bits)(x < bound), bound, x);
}
INLINE vec at_most(vec x, float high) {
  vec bound = all(high);
  return either((bits)(x > bound), bound, x);
}
INLINE vec larger(vec a, vec b) { return either((bits)(a > b), a, b); }
INLINE vec magnitude(vec x) { return (vec)((bits)x & 0x7fffffffu); }

INLINE vec root(vec x) {
  float each[LANES];
  store(each, x);
  for (int i = 0; i < LANES; i++) each[i] = sqrtf(each[i]);
  return load(each);
}

/* Sum and largest of the lanes, halves upon halves: the order is fixed. */
INLINE float sum_of(vec x) {
  float each[LANES];
  store(each, x);
  UNROLL for (int half = LANES / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) each[i] += each[i + half];
  return each[0];
}
INLINE float largest_of(vec x) {
  float each[LANES], most;
  store(each, x);
  most = each[0];
  for (int i = 1; i < LANES; i++) most = each[i] > most ? each[i] : most;
  return most;
}

/* c[0] + c[1] x + ... + c[degree] x^degree */
INLINE vec polynomial(vec x, const float *c, int degree) {
  vec y = all(c[degree]);
  UNROLL for (int i = degree - 1; i >= 0; i--) y = y * x + c[i];
  return y;
}

INLINE long padded(long n) { return (n + LANES - 1) / LANES * LANES; }

#endif
