/* The update rules, with clipping and decay, as `rgcore.training.rules` has them. */
#ifndef RG_UPDATE_H
#define RG_UPDATE_H

#include "network.h"

enum rule { ADAM, ADAMW, SGD };

typedef struct {
  int32_t rule, number; /* 1 for the first step */
  double rate, decay, clip, momentum; /* clip: infinite for none */
  double beta_mean, beta_square, adam_eps, clip_eps;
} rg_update;

/* The norm: floats are summed over stretches short enough that rounding stays at 1e-7. */
#define STRETCH 4096
static double norm_of(const float *x, long n) {
  double squares = 0;
  for (long begin = 0; begin < n; begin += STRETCH) {
    long end = begin + STRETCH < n ? begin + STRETCH : n;
    vec sum = {0};
    for (long i = begin; i < end; i += LANES) sum += load(x + i) * load(x + i);
    squares += (double)sum_of(sum);
  }
  return sqrt(squares);
}

static void adam(rg_network *q, const rg_update *u, long begin, long end, float factor,
                 float decay) {
  float keep = u->rule == ADAMW ? (float)(1 - u->rate * decay) : 1;
  float pull = u->rule == ADAMW ? 0 : decay;
  float rate = (float)(u->rate / (1 - pow(u->beta_mean, u->number)));
  float unbias = (float)(1 / sqrt(1 - pow(u->beta_square, u->number)));
  float new_mean = (float)(1 - u->beta_mean), old_square = (float)u->beta_square;
  float new_square = (float)(1 - u->beta_square), eps = (float)u->adam_eps;
  for (long i = begin; i < end; i += LANES) {
    vec w = load(q->weights + i), g = load(q->gradient + i) * factor;
    vec mean = load(q->memory[0] + i), square = load(q->memory[1] + i);
    g += pull * w;
    mean += (g - mean) * new_mean;
    square = square * old_square + g * g * new_square;
    store(q->memory[0] + i, mean);
    store(q->memory[1] + i, square);
    store(q->weights + i, w * keep - rate * mean / (root(square) * unbias + eps));
  }
}

static void heavy_ball(rg_network *q, const rg_update *u, long begin, long end, float factor,
                       float decay) {
  float rate = (float)u->rate, momentum = (float)u->momentum;
  for (long i = begin; i < end; i += LANES) {
    vec w = load(q->weights + i), velocity = load(q->memory[0] + i);
    velocity = velocity * momentum + (load(q->gradient + i) * factor + decay * w);
    store(q->memory[0] + i, velocity);
    store(q->weights + i, w - rate * velocity);
  }
}

static __attribute__((noinline)) void move(rg_network *q, const rg_update *u) {
  double factor = 1;
  if (u->clip < INFINITY) {
    factor = u->clip / (norm_of(q->gradient, q->n_weights) + u->clip_eps);
    if (factor > 1) factor = 1; /* a NaN stays one */
  }
  void (*rule)(rg_network *, const rg_update *, long, long, float, float) =
      u->rule == SGD ? heavy_ball : adam;
  rule(q, u, 0, q->n_decaying, (float)factor, (float)u->decay);
  rule(q, u, q->n_decaying, q->n_weights, (float)factor, 0);
}

#endif
