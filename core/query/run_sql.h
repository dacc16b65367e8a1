// One read-only statement on an open database: what Query::sql does, apart from opening.
#pragma once

#include <string_view>

#include "query/sql.h"
#include "store/database.h"

namespace bitsweep {

// Throws Error{input} for a statement that is wrong, would write, or gives too many rows; Error{refused} after the
// time limit.
SqlResult run_sql(Database& database, std::string_view statement, const SqlLimits& limits);

}  // namespace bitsweep
