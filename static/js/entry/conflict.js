/** The script of the conflict page. It runs before entry/editor.js, which reads the draft's values. */
import "../editing/conflict/choices.js";
import "../editing/conflict/custom-values.js";
