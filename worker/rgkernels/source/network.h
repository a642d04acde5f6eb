/* A network of mixing `context` and one step of its gradient, over tiles of rows.
 *
 * A row is a masked token. Rows share nothing but the weights, so some of them at a time, a tile, go
 * from the embedding to the read-out and back while all that they leave behind is in the cache.
 * The names of the sizes: d width, h hidden, V states, L depth; `wide_d` is d with its padding to
 * whole vectors. Padding is 0 in weights, activations and gradients, and stays it in every update.
 */
#ifndef RG_NETWORK_H
#define RG_NETWORK_H

#include <stdlib.h>

#include "pointwise.h"
#include "product.h"

typedef struct {
  int32_t n_states, seq_len, batch_size, context, depth, width, hidden, norm, activation;
  float residual_scale, norm_eps;
} rg_shape;

/* What a network consists of; those of a block or a slot are told apart by an index. The norm with
 * index `depth` is the one before the read-out. Matrices, which decay, come first. */
enum part { EMBEDDING, STEM, ENTER, LEAVE, HEAD, GAIN, SHIFT, ENTER_BIAS, LEAVE_BIAS, HEAD_BIAS, PARTS };

/* A matrix (rows x columns) of the arrays of weights; its rows are `row` floats apart. */
typedef struct {
  int64_t offset, rows, columns, row;
} rg_place;

/* Rows of a tile. The hidden units of all blocks and their derivatives, 8 L h bytes a row, should
 * stay in the second cache with the weights. Between 48 and 144 rows a step takes the same time
 * within 2 % (S) to 5 % (M); 96 are whole blocks of 6, 8 and 12 rows. */
#define TILE 96
#define GAP 16 /* floats between rows, a cache line: rows a power of two apart would share few sets */
#define MOST_ARRAYS 32

typedef struct {
  rg_shape shape;
  long slots, n_ids, wide_d, wide_h, wide_v;
  long first[PARTS], size[PARTS]; /* of each part: where it begins, floats of one index */
  long n_weights, n_decaying;
  float *weights, *gradient, *memory[2];
  /* made of the weights at every step, read by all tiles */
  float *table;                            /* what the stem adds for an id in a slot */
  float *enter, *leave, *leave_back, *enter_back; /* panels of each block, L of each */
  float *head, *head_back, *enter_bias, *leave_bias, *head_bias, *turned;
  float *table_gradient;
  /* of one tile; u and factor of L + 1 norms, hidden and slope of L blocks */
  float *x, *u, *factor, *hidden, *slope, *dx, *du, *logits;
  int32_t *ids;
  int64_t *places; /* of all rows of a batch */
  long row_d, row_h, row_v; /* floats between rows of a tile */
  void *arrays[MOST_ARRAYS];
  int n_arrays, short_of_memory;
} rg_network;

static void *array(rg_network *q, long n) { /* n times four bytes, all 0 */
  int none = q->short_of_memory || n > PTRDIFF_MAX / 8;
  size_t bytes = ((size_t)n * 4 + 63) / 64 * 64;
  void *found = none ? 0 : aligned_alloc(64, bytes);
  if (found)
    q->arrays[q->n_arrays++] = memset(found, 0, bytes);
  else
    q->short_of_memory = 1;
  return found;
}

INLINE long at(const rg_network *q, enum part part, long index) {
  return q->first[part] + index * q->size[part];
}

static void lay_out(rg_network *q) {
  const rg_shape *s = &q->shape;
  long d = s->width, h = s->hidden, L = s->depth, next = 0;
  const long sizes[PARTS] = {
      [EMBEDDING] = q->n_ids * q->wide_d, [STEM] = d * q->wide_d,     [ENTER] = d * q->wide_h,
      [LEAVE] = h * q->wide_d,            [HEAD] = d * q->wide_v,     [GAIN] = q->wide_d,
      [SHIFT] = q->wide_d,                [ENTER_BIAS] = q->wide_h,   [LEAVE_BIAS] = q->wide_d,
      [HEAD_BIAS] = q->wide_v,
  };
  const long counts[PARTS] = {
      [EMBEDDING] = 1, [STEM] = q->slots,  [ENTER] = L,      [LEAVE] = L,      [HEAD] = 1,
      [GAIN] = L + 1,  [SHIFT] = L + 1,    [ENTER_BIAS] = L, [LEAVE_BIAS] = L, [HEAD_BIAS] = 1,
  };
  for (int part = 0; part < PARTS; part++) {
    q->first[part] = next;
    q->size[part] = sizes[part];
    next += counts[part] * sizes[part];
    if (part == HEAD) q->n_decaying = next;
  }
  q->n_weights = next;
}

static void take_memory(rg_network *q) {
  const rg_shape *s = &q->shape;
  long d = s->width, h = s->hidden, L = s->depth;
  q->weights = array(q, q->n_weights);
  q->gradient = array(q, q->n_weights);
  q->memory[0] = array(q, q->n_weights);
  q->memory[1] = array(q, q->n_weights);
  q->table = array(q, q->slots * q->n_ids * q->wide_d);
  q->table_gradient = array(q, q->slots * q->n_ids * q->wide_d);
  q->enter = array(q, L * d * q->wide_h);
  q->leave = array(q, L * h * q->wide_d);
  q->leave_back = array(q, L * d * q->wide_h);
  q->enter_back = array(q, L * h * q->wide_d);
  q->head = array(q, d * q->wide_v);
  q->head_back = array(q, s->n_states * q->wide_d);
  q->enter_bias = array(q, L * q->wide_h);
  q->leave_bias = array(q, L * q->wide_d);
  q->head_bias = array(q, q->wide_v);
  q->turned = array(q, d * q->wide_d);
  q->row_d = q->wide_d + GAP, q->row_h = q->wide_h + GAP, q->row_v = q->wide_v + GAP;
  q->x = array(q, TILE * q->row_d);
  q->u = array(q, (L + 1) * TILE * q->row_d);
  q->factor = array(q, (L + 1) * TILE);
  q->hidden = array(q, L * TILE * q->row_h);
  q->slope = array(q, L * TILE * q->row_h);
  q->dx = array(q, TILE * q->row_d);
  q->du = array(q, TILE * q->row_d);
  q->logits = array(q, TILE * q->row_v);
  q->ids = array(q, TILE * q->slots);
  q->places = array(q, 2L * s->batch_size * s->seq_len);
}

/* Panels of the weights, with the gain of the norm before them and the residual scale in them, and
 * biases with the shift of that norm: (g u + c) W + b = u (g W) + (c W + b). */
static void prepare(rg_network *q) {
  const rg_shape *s = &q->shape;
  const float *w = q->weights;
  long d = s->width, h = s->hidden, wd = q->wide_d, wh = q->wide_h, wv = q->wide_v;
  for (long i = 0; i < q->slots; i++)
    multiply(q->n_ids, wd, d, (left){w + at(q, EMBEDDING, 0), wd, 1},
             as_it_lies(w + at(q, STEM, i), wd), (result){q->table + i * q->n_ids * wd, wd, 0, 0});
  for (long l = 0; l < s->depth; l++) {
    const float *enter = w + at(q, ENTER, l), *leave = w + at(q, LEAVE, l);
    const float *gain = w + at(q, GAIN, l), *bias = w + at(q, LEAVE_BIAS, l);
    pack(enter, d, wh, gain, 1, q->enter + l * d * wh);
    pack(leave, h, wd, 0, s->residual_scale, q->leave + l * h * wd);
    pack_transposed(leave, wd, h, d, wh, 0, s->residual_scale, q->leave_back + l * d * wh);
    pack_transposed(enter, wh, d, h, wd, gain, 1, q->enter_back + l * h * wd);
    multiply(1, wh, d, (left){w + at(q, SHIFT, l), 0, 1}, as_it_lies(enter, wh),
             (result){q->enter_bias + l * wh, 0, w + at(q, ENTER_BIAS, l), 0});
    for (long j = 0; j < wd; j += LANES)
      store(q->leave_bias + l * wd + j, s->residual_scale * load(bias + j));
  }
  const float *head = w + at(q, HEAD, 0), *gain = w + at(q, GAIN, s->depth);
  pack(head, d, wv, gain, 1, q->head);
  pack_transposed(head, wv, d, s->n_states, wd, gain, 1, q->head_back);
  multiply(1, wv, d, (left){w + at(q, SHIFT, s->depth), 0, 1}, as_it_lies(head, wv),
           (result){q->head_bias, 0, w + at(q, HEAD_BIAS, 0), 0});
}

typedef struct {
  const int64_t *inputs, *tokens; /* (batch_size, seq_len) */
  const uint8_t *mask;
} rg_batch;

/* Streams of the rows `places[0 .. rows)`: one row of the table for each slot. */
static void embed(rg_network *q, const rg_batch *batch, const int64_t *places, long rows) {
  const rg_shape *s = &q->shape;
  for (long r = 0; r < rows; r++) {
    long place = places[r], t = place % s->seq_len, begin = place - t;
    float *x = q->x + r * q->row_d;
    memset(x, 0, q->wide_d * sizeof *x);
    for (long i = 0; i < q->slots; i++) {
      long seen = t + i - s->context;
      int beyond = seen < 0 || seen >= s->seq_len;
      long id = beyond ? q->n_ids - 1 : batch->inputs[begin + seen];
      long of_table = q->ids[r * q->slots + i] = (int32_t)(i * q->n_ids + id);
      const float *row = q->table + of_table * q->wide_d;
      for (long j = 0; j < q->wide_d; j += LANES) store(x + j, load(x + j) + load(row + j));
    }
  }
}

/* Logits to their gradient, scaled; the sum of the losses. */
static double cross_entropy(rg_network *q, const rg_batch *batch, const int64_t *places, long rows,
                            float scale) {
  double losses = 0;
  long n = q->shape.n_states, wide = q->wide_v;
  for (long r = 0; r < rows; r++) {
    float *p = q->logits + r * q->row_v;
    for (long j = n; j < wide; j++) p[j] = p[0];
    vec most = load(p), sum = {0};
    for (long j = LANES; j < wide; j += LANES) most = larger(load(p + j), most);
    float top = largest_of(most);
    long token = (long)batch->tokens[places[r]];
    float own = p[token] - top;
    for (long j = 0; j < wide; j += LANES) store(p + j, exp2_of((load(p + j) - top) * LOG2_E));
    for (long j = n; j < wide; j++) p[j] = 0;
    for (long j = 0; j < wide; j += LANES) sum += load(p + j);
    float total = sum_of(sum);
    losses += (double)(logf(total) - own);
    float factor = scale / total;
    for (long j = 0; j < wide; j += LANES) store(p + j, load(p + j) * factor);
    p[token] -= scale;
  }
  return losses;
}

static void forward(rg_network *q, long rows) {
  const rg_shape *s = &q->shape;
  long d = s->width, h = s->hidden, wd = q->wide_d, wh = q->wide_h, wv = q->wide_v;
  for (long l = 0; l <= s->depth; l++) {
    float *u = q->u + l * TILE * q->row_d;
    normalise(s->norm, s->norm_eps, q->x, u, q->factor + l * TILE, rows, d, q->row_d);
    left read = {u, q->row_d, 1};
    if (l == s->depth) {
      multiply(rows, wv, d, read, in_panels(q->head, d, wv),
               (result){q->logits, q->row_v, q->head_bias, 0});
      return;
    }
    long block = l * TILE * q->row_h;
    activated act = {q->hidden + block, q->slope + block, q->row_h};
    multiply_then(rows, wh, d, read, in_panels(q->enter + l * d * wh, d, wh),
                  (result){act.value, act.row, q->enter_bias + l * wh, 0},
                  ACTIVATE_[s->activation], &act);
    multiply(rows, wd, h, (left){act.value, act.row, 1}, in_panels(q->leave + l * h * wd, h, wd),
             (result){q->x, q->row_d, q->leave_bias + l * wd, 1});
  }
}

/* The rows of a tile as the right factor of a sum over rows. */
INLINE right rows_of(const float *x, long row, long wide) {
  int columns = columns_of(wide);
  return (right){x, row, (long)columns * LANES, columns};
}

/* From the gradient of the logits to dx, that of the streams h_0; sums over rows go to the
 * gradient. That of a block's hidden units takes their place. */
static void backward(rg_network *q, int rows) {
  const rg_shape *s = &q->shape;
  float *g = q->gradient;
  long d = s->width, h = s->hidden, wd = q->wide_d, wh = q->wide_h, wv = q->wide_v;
  const float *u = q->u + s->depth * TILE * q->row_d;
  multiply(d, wv, rows, (left){u, 1, q->row_d}, rows_of(q->logits, q->row_v, wv),
           (result){g + at(q, HEAD, 0), wv, 0, 1});
  add_rows(q->logits, rows, wv, q->row_v, g + at(q, HEAD_BIAS, 0));
  multiply(rows, wd, s->n_states, (left){q->logits, q->row_v, 1},
           in_panels(q->head_back, s->n_states, wd), (result){q->du, q->row_d, 0, 0});
  normalise_back(s->norm, q->du, u, q->factor + s->depth * TILE, q->dx, rows, d, q->row_d, 0);
  for (long l = s->depth - 1; l >= 0; l--) {
    long block = l * TILE * q->row_h;
    activated act = {q->hidden + block, q->slope + block, q->row_h};
    u = q->u + l * TILE * q->row_d;
    add_rows(q->dx, rows, wd, q->row_d, g + at(q, LEAVE_BIAS, l));
    multiply(h, wd, rows, (left){act.value, 1, act.row}, rows_of(q->dx, q->row_d, wd),
             (result){g + at(q, LEAVE, l), wd, 0, 1});
    multiply_then(rows, wh, d, (left){q->dx, q->row_d, 1},
                  in_panels(q->leave_back + l * d * wh, d, wh),
                  (result){act.value, act.row, 0, 0}, times_slope, &act);
    multiply(d, wh, rows, (left){u, 1, q->row_d}, rows_of(act.value, act.row, wh),
             (result){g + at(q, ENTER, l), wh, 0, 1});
    add_rows(act.value, rows, wh, act.row, g + at(q, ENTER_BIAS, l));
    multiply(rows, wd, h, (left){act.value, act.row, 1},
             in_panels(q->enter_back + l * h * wd, h, wd), (result){q->du, q->row_d, 0, 0});
    normalise_back(s->norm, q->du, u, q->factor + l * TILE, q->dx, rows, d, q->row_d, 1);
  }
}

static void scatter(rg_network *q, long rows) { /* dx to the rows of the table that x came from */
  for (long r = 0; r < rows; r++)
    for (long i = 0; i < q->slots; i++) {
      float *to = q->table_gradient + q->ids[r * q->slots + i] * q->wide_d;
      const float *dx = q->dx + r * q->row_d;
      for (long j = 0; j < q->wide_d; j += LANES) store(to + j, load(to + j) + load(dx + j));
    }
}

/* Of a matrix that had a norm's gain and shift in it: its gradient, and theirs. */
static void unfold(rg_network *q, long matrix, long wide, long bias, long l) {
  const rg_shape *s = &q->shape;
  const float *w = q->weights, *gain = w + at(q, GAIN, l), *shift = w + at(q, SHIFT, l);
  float *g = q->gradient;
  for (long i = 0; i < s->width; i++) {
    vec of_gain = {0}, of_shift = {0};
    for (long j = 0; j < wide; j += LANES) {
      long k = matrix + i * wide + j;
      vec folded = load(g + k), weight = load(w + k), column = load(g + bias + j);
      of_gain += folded * weight;
      of_shift += column * weight;
      store(g + k, folded * gain[i] + column * shift[i]);
    }
    if (s->norm != NO_NORM) g[at(q, GAIN, l) + i] = sum_of(of_gain);
    if (s->norm == LAYER) g[at(q, SHIFT, l) + i] = sum_of(of_shift);
  }
}

/* What is left when all tiles are through: gradients of what was folded together. */
static void finish(rg_network *q) {
  const rg_shape *s = &q->shape;
  const float *w = q->weights;
  float *g = q->gradient;
  long d = s->width, wd = q->wide_d;
  for (long i = 0; i < q->slots; i++) {
    const float *dt = q->table_gradient + i * q->n_ids * wd;
    multiply(d, wd, (int)q->n_ids, (left){w + at(q, EMBEDDING, 0), 1, wd}, as_it_lies(dt, wd),
             (result){g + at(q, STEM, i), wd, 0, 0});
    pack_transposed(w + at(q, STEM, i), wd, d, d, wd, 0, 1, q->turned);
    multiply(q->n_ids, wd, d, (left){dt, wd, 1}, in_panels(q->turned, d, wd),
             (result){g + at(q, EMBEDDING, 0), wd, 0, 1});
  }
  for (long l = 0; l < s->depth; l++) {
    unfold(q, at(q, ENTER, l), q->wide_h, at(q, ENTER_BIAS, l), l);
    float *leave = g + at(q, LEAVE, l), *bias = g + at(q, LEAVE_BIAS, l);
    for (long j = 0; j < q->size[LEAVE]; j += LANES)
      store(leave + j, load(leave + j) * s->residual_scale);
    for (long j = 0; j < wd; j += LANES) store(bias + j, load(bias + j) * s->residual_scale);
  }
  unfold(q, at(q, HEAD, 0), q->wide_v, at(q, HEAD_BIAS, 0), s->depth);
}

/* The mean cross-entropy over the masked places, of which there is at least one, and its gradient. */
static __attribute__((noinline)) double gradient_of(rg_network *q, const rg_batch *batch) {
  const rg_shape *s = &q->shape;
  long tokens = (long)s->batch_size * s->seq_len, rows = 0;
  for (long i = 0; i < tokens; i++) {
    q->places[rows] = i;
    rows += batch->mask[i] != 0;
  }
  prepare(q);
  memset(q->gradient, 0, q->n_weights * sizeof *q->gradient);
  memset(q->table_gradient, 0, q->slots * q->n_ids * q->wide_d * sizeof *q->table_gradient);
  double losses = 0;
  long tiles = (rows + TILE - 1) / TILE;
  for (long i = 0; i < tiles; i++) { /* of equal size but for one row */
    long begin = rows * i / tiles, n = rows * (i + 1) / tiles - begin;
    const int64_t *places = q->places + begin;
    embed(q, batch, places, n);
    forward(q, n);
    losses += cross_entropy(q, batch, places, n, 1.0f / rows);
    backward(q, (int)n);
    scatter(q, n);
  }
  finish(q);
  return losses / rows;
}

#endif
