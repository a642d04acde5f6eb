/* What Python calls. A network is used by one thread at a time; networks share nothing. */
#include "update.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/* Read before anything is run: what this was built from, for and by. */
const char rg_about[] = "rgkernels " TEXT(RG_SOURCE) " " TEXT(RG_INSTRUCTIONS) " " __VERSION__;

/* Subnormal numbers count as 0, as in a trainer: weights that decay to nothing would cost a
 * hundredfold of the time. Whatever the caller has is there again afterwards. */
#if defined(__x86_64__)
typedef unsigned int float_mode;
INLINE float_mode flush(void) {
  float_mode before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8040); /* FTZ, DAZ */
  return before;
}
INLINE void restore(float_mode before) { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
typedef uint64_t float_mode;
INLINE float_mode flush(void) {
  float_mode before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24))); /* FZ */
  return before;
}
INLINE void restore(float_mode before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
#error "how subnormal numbers are flushed on this processor is not written down"
#endif

void rg_free(rg_network *q) {
  for (int i = 0; i < q->n_arrays; i++) free(q->arrays[i]);
  free(q);
}

/* A network whose weights are 0; NULL where memory is short. */
rg_network *rg_new(const rg_shape *shape) {
  rg_network *q = calloc(1, sizeof *q);
  if (!q) return 0;
  q->shape = *shape;
  q->slots = 2L * shape->context + 1;
  q->n_ids = shape->n_states + 2L; /* hidden, and beyond the ends */
  q->wide_d = padded(shape->width);
  q->wide_h = padded(shape->hidden);
  q->wide_v = padded(shape->n_states);
  lay_out(q);
  take_memory(q);
  if (!q->short_of_memory) return q;
  rg_free(q);
  return 0;
}

/* Where a part lies in the weights and in the gradient. */
rg_place rg_place_of(const rg_network *q, int part, long index) {
  const rg_shape *s = &q->shape;
  const long d = s->width, h = s->hidden;
  const long rows[PARTS] = {[EMBEDDING] = q->n_ids, [STEM] = d, [ENTER] = d, [LEAVE] = h, [HEAD] = d};
  const long columns[PARTS] = {d, d, h, d, s->n_states, d, d, h, d, s->n_states};
  long n = rows[part] ? rows[part] : 1;
  return (rg_place){at(q, part, index), n, columns[part], q->size[part] / n};
}

float *rg_weights(rg_network *q) { return q->weights; }
float *rg_gradient(rg_network *q) { return q->gradient; }
long rg_size(const rg_network *q) { return q->n_weights; }

/* The loss of a batch in which something is hidden; its gradient is then in `rg_gradient`. */
double rg_differentiate(rg_network *q, const rg_batch *batch) {
  float_mode before = flush();
  double loss = gradient_of(q, batch);
  restore(before);
  return loss;
}

/* One step; the loss before it. */
double rg_step(rg_network *q, const rg_batch *batch, const rg_update *update) {
  float_mode before = flush();
  double loss = gradient_of(q, batch);
  move(q, update);
  restore(before);
  return loss;
}
