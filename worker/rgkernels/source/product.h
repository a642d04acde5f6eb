/* Products of small matrices: a block of the result stays in registers while the sum runs. */
#ifndef RG_PRODUCT_H
#define RG_PRODUCT_H

#include "vector.h"

/* A block is `rows` x `columns` vectors. Its sums, the columns of the right factor and one broadcast
 * must fit in the registers, and there must be enough sums to hide the latency of the multiply-adds
 * (two units x four cycles): with 16 registers 12 x 1 or 6 x 2 (12 + 2 + 1), with 32 registers
 * 14 x 1, 12 x 2, 8 x 3 or 6 x 4 (24 + 4 + 1). More columns load the left factor less often. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define MOST_COLUMNS 4
static const int MOST_ROWS[MOST_COLUMNS + 1] = {0, 14, 12, 8, 6};
#else
#define MOST_COLUMNS 2
static const int MOST_ROWS[MOST_COLUMNS + 1] = {0, 12, 6};
#endif

/* The left factor: element (m, k) at `at[m * row + k * column]`. */
typedef struct {
  const float *at;
  long row, column;
} left;

/* The right factor, whole vectors wide: columns in panels of `columns` vectors, panel p at
 * `at + p * panel`, its row k `row` floats further each. */
typedef struct {
  const float *at;
  long row, panel;
  int columns;
} right;

/* The widest panels that `n` columns, a multiple of LANES, divide into. */
INLINE int columns_of(long n) {
  for (int columns = MOST_COLUMNS; columns > 1; columns--)
    if (n / LANES % columns == 0) return columns;
  return 1;
}

/* A row-major matrix of so many columns, as it lies. */
INLINE right as_it_lies(const float *at, long n) {
  int columns = columns_of(n);
  return (right){at, n, (long)columns * LANES, columns};
}

/* A matrix (k_size x n) that was packed panel by panel. */
INLINE right in_panels(const float *at, long k_size, long n) {
  int columns = columns_of(n);
  return (right){at, (long)columns * LANES, k_size * columns * LANES, columns};
}

typedef struct {
  float *at;
  long row;
  const float *bias; /* of each column, NULL for none */
  int adds;          /* to what is there */
} result;

INLINE void block(int rows, int columns, int k_size, const float *a, long row, long column,
                  const float *b, long b_row, result c) {
  vec sum[14][MOST_COLUMNS];
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++) {
    vec start = c.bias ? load(c.bias + LANES * j) : (vec){0};
    sum[i][j] = c.adds ? load(c.at + i * c.row + LANES * j) + start : start;
  }
  for (int k = 0; k < k_size; k++, a += column, b += b_row) {
    vec right_row[MOST_COLUMNS];
    UNROLL for (int j = 0; j < columns; j++) right_row[j] = load(b + LANES * j);
    UNROLL for (int i = 0; i < rows; i++) {
      vec factor = all(a[i * row]);
      UNROLL for (int j = 0; j < columns; j++) sum[i][j] += factor * right_row[j];
    }
  }
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < columns; j++)
    store(c.at + i * c.row + LANES * j, sum[i][j]);
}

typedef void of_a_size(int k_size, const float *a, long row, long column, const float *b,
                       long b_row, result c);
#define BLOCK(ROWS, COLUMNS)                                                                   \
  static void block_##ROWS##_##COLUMNS(int k_size, const float *a, long row, long column,     \
                                       const float *b, long b_row, result c) {                \
    block(ROWS, COLUMNS, k_size, a, row, column, b, b_row, c);                                 \
  }
#define BLOCKS_TO_6(COLUMNS) \
  BLOCK(1, COLUMNS) BLOCK(2, COLUMNS) BLOCK(3, COLUMNS) BLOCK(4, COLUMNS) BLOCK(5, COLUMNS) BLOCK(6, COLUMNS)
#define TO_6(COLUMNS) \
  0, block_1_##COLUMNS, block_2_##COLUMNS, block_3_##COLUMNS, block_4_##COLUMNS, block_5_##COLUMNS, block_6_##COLUMNS
#define BLOCKS_TO_12(COLUMNS) \
  BLOCK(7, COLUMNS) BLOCK(8, COLUMNS) BLOCK(9, COLUMNS) BLOCK(10, COLUMNS) BLOCK(11, COLUMNS) BLOCK(12, COLUMNS)
#define TO_12(COLUMNS) \
  block_7_##COLUMNS, block_8_##COLUMNS, block_9_##COLUMNS, block_10_##COLUMNS, block_11_##COLUMNS, block_12_##COLUMNS

BLOCKS_TO_6(1) BLOCKS_TO_12(1) BLOCKS_TO_6(2)
#if MOST_COLUMNS == 4
BLOCK(13, 1) BLOCK(14, 1) BLOCKS_TO_12(2) BLOCKS_TO_6(3) BLOCK(7, 3) BLOCK(8, 3) BLOCKS_TO_6(4)
static of_a_size *const BLOCKS[MOST_COLUMNS + 1][15] = {
    {0},
    {TO_6(1), TO_12(1), block_13_1, block_14_1},
    {TO_6(2), TO_12(2)},
    {TO_6(3), block_7_3, block_8_3},
    {TO_6(4)},
};
#else
static of_a_size *const BLOCKS[MOST_COLUMNS + 1][15] = {{0}, {TO_6(1), TO_12(1)}, {TO_6(2)}};
#endif

/* What is done to each block of the result while it is in the first cache. */
typedef void finishing(void *with, long first_row, long rows, long first_column, long columns);

/* C = A B (+ bias) (+ C): (m_size x k_size) (k_size x n_size), n_size a multiple of LANES. */
static void multiply_then(long m_size, long n_size, int k_size, left a, right b, result c,
                          finishing *finish, void *with) {
  long vectors = n_size / LANES;
  long parts = (m_size + MOST_ROWS[b.columns] - 1) / MOST_ROWS[b.columns];
  for (long p = 0; p * b.columns < vectors; p++) {
    long n = p * b.columns * LANES;
    for (long part = 0; part < parts; part++) { /* of equal size but for one row */
      long m = m_size * part / parts, rows = m_size * (part + 1) / parts - m;
      result here = {c.at + m * c.row + n, c.row, c.bias ? c.bias + n : 0, c.adds};
      BLOCKS[b.columns][rows](k_size, a.at + m * a.row, a.row, a.column, b.at + p * b.panel, b.row,
                              here);
      if (finish) finish(with, m, rows, n, (long)b.columns * LANES);
    }
  }
}
INLINE void multiply(long m_size, long n_size, int k_size, left a, right b, result c) {
  multiply_then(m_size, n_size, k_size, a, b, c, 0, 0);
}

/* A matrix (k_size x n, rows of n floats) times `factor`, row k times gain[k] where there is one,
 * into panels. */
static void pack(const float *from, long k_size, long n, const float *gain, float factor,
                 float *to) {
  long wide = (long)columns_of(n) * LANES;
  for (long p = 0; p < n; p += wide)
    for (long k = 0; k < k_size; k++, to += wide) {
      vec scale = all(gain ? gain[k] * factor : factor);
      for (long j = 0; j < wide; j += LANES) store(to + j, scale * load(from + k * n + p + j));
    }
}

/* The transpose (k_size x n) of a matrix of `rows` rows, each `row` floats further, into panels;
 * column j times gain[j] where there is one. Columns past the rows are 0. */
static void pack_transposed(const float *from, long row, long rows, long k_size, long n,
                            const float *gain, float factor, float *to) {
  long wide = (long)columns_of(n) * LANES;
  for (long p = 0; p < n; p += wide, to += k_size * wide)
    for (long first = 0; first < k_size; first += LANES) { /* so many rows that stay in cache */
      long last = first + LANES < k_size ? first + LANES : k_size;
      for (long j = 0; j < wide; j++) {
        int there = p + j < rows;
        float scale = !there ? 0 : gain ? gain[p + j] * factor : factor;
        const float *source = from + (there ? p + j : 0) * row;
        for (long k = first; k < last; k++) to[k * wide + j] = there ? scale * source[k] : 0;
      }
    }
}

#endif
