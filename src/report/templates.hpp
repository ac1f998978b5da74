#pragma once

namespace lockstep {

/// The gnuplot scripts of src/report/templates, embedded at build time.
extern const char* const curves_template;
extern const char* const predictions_template;
extern const char* const confusion_template;

}  // namespace lockstep
