"""The constants of the fast solver that were found by trying, each said once.

Modules read them as ``tuning.NAME`` when they are used, so that one can be replaced for a while;
``python scripts/ablation.py`` does that, and shows what each is worth. Contractions and errors are
ratios; a price in steps is predicted seconds over those of a step with a factor at hand.
"""

from __future__ import annotations

# --- The line search of a step (preconditioned_newton.py) ----------------------------------------

#: Slope at its end over that at its start, where a point of the ray costs little beside the passes
#: over A.
TIGHT_SEARCH = 0.1
#: The same where a point costs as much as the passes: small problems.
LOOSE_SEARCH = 0.5

# --- Which factor to start from (cost_model.py, preconditioned_newton.py) ------------------------

#: Steps to 1e-10 from a factor of the exact Hessian at the start, as measured on dense instances.
GRAM_STEPS = 7
#: Rows of a sketch over d that are considered.
OVERSAMPLING = (8, 16, 32)
#: Rows over d where a sketch is asked for and none is predicted to be the fastest way.
CHOSEN_OVERSAMPLING = 16
#: Most rows of a sketch over n.
SKETCH_SHARE = 0.5
#: Price of an entry of a sparse A^T A, over that of one in a product with a vector.
SPARSE_PRODUCT = 5.0
#: Multiplications for each entry of A that an embedding makes.
EMBEDDING_WORK = 16
#: Price of a factor, in steps, below which it is not worth a step to try without.
TRIAL_PRICE = 2.0
#: Estimated error after the first step without a factor beyond which there will be no second: on
#: well-conditioned instances it was at most 0.07, on the others at least 1.
PROMISING_ERROR = 0.2

# --- Columns scaled to equal curvature (column_scaling.py) ---------------------------------------

#: Most rows that the columns' curvature is estimated from.
SAMPLE_ROWS = 4096
#: Largest share of all rows that is: reading them should take no longer than a product.
SAMPLE_SHARE = 1 / 8
#: Least curvature of a column over its squared norm, over the largest such.
LEAST_CURVATURE = 1e-8

# --- Forming a Gram matrix (gram_factor.py) ------------------------------------------------------

#: Rows over d that are taken in float64, to see whether float32 will do for the rest.
HEAD_ROWS = 2
#: Rows of A, over those taken in float64, from which on float32 is thought of.
SINGLE_ROWS = 4
#: Smallest eigenvalue, over a unit diagonal, beside which float32's rounding is small.
SINGLE_FLOOR = 2e-6
#: Heaviest rows over d that join the first ones where these do not span all directions.
HEAVY_ROWS = 0.5
#: Spectral error that rows in float32 may bring in: a step then contracts by no less.
TOLERATED = 0.1

# --- Following the iterates row by row (maintained.py, rank_two.py, drift.py, cost_model.py) -----

#: Relative change of an entry of D up to which its row is left as it is.
ROW_CHANGE = 0.1
#: Share of all change that the rows within the limit must carry to be worth their price.
CONCENTRATED = 0.3
#: Most rows that are brought up to date in a step: a share of all.
ROW_SHARE = 1 / 8
#: The same over d, where one pass pays for fewer: their Gram matrix costs no more than a few
#: Cholesky factorisations.
ROWS_PER_COLUMN = 2.0
#: Bound on the error of the factored Hessian through a stale rank-two part.
STALE = 0.1
#: Entries that the common change of D is estimated from, as a median.
MEDIAN_SAMPLE = 1024

# --- When M is brought up to date or formed anew (refresh.py, preconditioner.py) -----------------

#: Price of a Gram matrix, in steps, up to which every step forms one.
CHEAP_GRAM = 1.0
#: Price of a Cholesky factor, in steps, above which every one has to pay for itself.
EXPENSIVE = 3.0
#: Contraction that a step is expected to have once rows have been brought up to date.
UPDATED_CONTRACTION = 0.05
#: The same after the Hessian has been formed anew.
REBUILT_CONTRACTION = 0.1
#: Best and worst contraction that steps to go are predicted from.
BEST_CONTRACTION, WORST_CONTRACTION = 1e-3, 0.99
#: Contraction worse than which a step counts as slow.
SLOW_CONTRACTION = 0.3
#: Slow steps in a row after which forming the Hessian anew is considered.
PATIENCE = 2
#: Times as many the next time, where that did not help.
PATIENCE_GROWTH = 2
#: Most slow steps between two Hessians formed anew.
MAX_SLOW_STEPS = 16
#: New contraction over the old one up to which forming the Hessian anew has helped.
REBUILD_HELPED = 0.5
#: The same for rows that were brought up to date where many more had moved.
ROWS_HELPED = 0.5
#: Steps with M whose contraction says nothing about that: from afar.
FAR_STEPS = 2
#: Contraction better than which corrections with the same Hessian are considered.
CORRECTION_CONTRACTION = 0.5
#: What a correction takes of the seconds of a step that depend on no size.
CORRECTION_OVERHEAD = 0.5
#: Least cosine of a secant pair's s and y for it to be kept.
CURVED = 1e-8

# --- Where the Hessian is indefinite or singular (definite_hessian.py, maintained.py, refresh.py) -

#: Entry of D, over Gauss-Newton's, below which a row counts as one that makes it indefinite.
INDEFINITE_ROW = 0.5
#: Shares of the difference to the Hessian that are tried beside the Gauss-Newton matrix.
RESIDUAL_SHARES = (0.75, 0.5, 0.25)
#: Contraction worse than which a Gauss-Newton step counts as weak.
WEAK_CONTRACTION = 0.5
#: Error over the least one since the first weak step at which these are forgotten.
SADDLE_PROGRESS = 0.5
#: Weak Gauss-Newton steps with a new factor before a saddle is suspected.
SADDLE_PATIENCE = 6
#: Multiples of the squares of the columns' norms, over the largest such, that bring out a null
#: space.
RIDGES = (1e-10, 1e-8)
#: What must remain positive of a matrix with such a multiple, over the rounding of a Hessian.
RIDGED_NOISE = 0.1
