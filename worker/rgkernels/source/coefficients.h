/* Written by scripts/kernel_coefficients.py, which says what is fitted to what. */
static const float EXP2[] = {1.000000001e+00f, 6.931472057e-01f, 2.402264689e-01f, 5.550328777e-02f, 9.618488984e-03f, 1.339993116e-03f, 1.534580487e-04f}; /* error 1.9e-09 */
static const float ERFC[] = {5.419174645e-03f, 7.581875249e-02f, 3.248076286e-01f, -2.833110101e-01f, 5.080780449e-01f, -1.308126106e-01f}; /* error 2.0e-08 */
static const float ERFC_SLOPE = 0.45f;
static const float TANH[] = {-3.333333172e-01f, 1.333324535e-01f, -5.395216404e-02f, 2.173270238e-02f, -8.262690377e-03f, 2.226916193e-03f}; /* error 9.3e-11 */
static const float TANH_BELOW = 0.6f;
