// One read-only statement on an open database: what Query::sql does, apart from opening.
#pragma once

#include <string_view>

#include "query/sql.h"
#include "store/database.h"

namespace bitsweep::query {

// Database::prepare; an unknown column or table is answered with the nearest documented one.
store::Statement prepare_for_person(store::Database& database, std::string_view sql);

// Throws Error{input} for a statement that is wrong, would write, or gives too many rows; Error{refused} after the
// time limit.
SqlResult run_sql(store::Database& database, std::string_view statement, const SqlLimits& limits);

}  // namespace bitsweep::query
