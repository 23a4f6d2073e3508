"""Read one row by SQL that is compiled once, for the reads that every request makes.

The ORM builds and compiles a query in ten times the time that SQLite needs to answer it (decision 0027). The router,
Django's cursor and the converters of the fields are used as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["CompiledQuery"]


class CompiledQuery:
    """Find the row of `model` by its unique field `field`, in the database to which rows of `model` are written.

    `columns` are the names of the columns to read, by default all of the model. `related` names a foreign key that is
    never NULL. All columns of its row are read too, by a join. That row must be in the same database.
    """

    def __init__(
        self, model: type[models.Model], field: str, columns: Sequence[str] = (), *, related: str = ""
    ) -> None:
        self._model = model
        self._field: Any = model._meta.get_field(field)
        self._columns = columns or _columns(model)
        self._related = related
        relation: Any = model._meta.get_field(related) if related else None
        self._related_model = relation and relation.related_model
        self._related_columns = _columns(self._related_model) if self._related_model else []
        self._compiled: dict[tuple[str, type[BaseDatabaseWrapper]], tuple[str, dict[int, Any]]] = {}

    def instance(self, value: Any) -> Any:
        """Return the row as an instance of the model, which needs all columns; None if there is none. One query.

        The row of `related` is the value of that field.
        """
        values = self.values(value)
        if values is None:
            return None
        alias, count = self._alias, len(self._columns)
        instance = self._model.from_db(alias, self._columns, values[:count])
        if self._related:
            related = self._related_model.from_db(alias, self._related_columns, values[count:])
            setattr(instance, self._related, related)
        return instance

    def values(self, value: Any) -> list[Any] | None:
        """Return the values of the columns, then those of `related`; None if there is no row. One query."""
        if value is None:
            return None
        connection = connections[self._alias]
        parameter = self._field.get_db_prep_value(value, connection)
        if not self._is_in_range(parameter, connection):
            return None
        sql, converters = self._compile(connection, value)
        with connection.cursor() as cursor:
            cursor.execute(sql, [parameter])
            row = cursor.fetchone()
        if row is None:
            return None
        values = list(row)
        for index, (functions, expression) in converters.items():
            for function in functions:
                values[index] = function(values[index], expression, connection)
        return values

    def _is_in_range(self, value: Any, connection: BaseDatabaseWrapper) -> bool:
        """Return whether the column can contain `value`. Some databases and drivers fail at a number that is too large.

        The ORM does the same.
        """
        field = self._field
        while field.is_relation:
            field = field.target_field
        if not isinstance(field, models.IntegerField):
            return True
        lowest, highest = connection.ops.integer_field_range(field.get_internal_type())
        return bool(lowest <= value <= highest)

    @property
    def _alias(self) -> str:
        return router.db_for_write(self._model)

    def _compile(self, connection: BaseDatabaseWrapper, value: Any) -> tuple[str, dict[int, Any]]:
        """Return the SQL, with one parameter, and the converters of its columns, both from the ORM's compiler."""
        key = (connection.alias, type(connection))
        if key not in self._compiled:
            columns = [*self._columns, *(f"{self._related}__{column}" for column in self._related_columns)]
            rows = models.QuerySet(self._model).filter(**{self._field.name: value}).values_list(*columns)
            compiler = rows.order_by().query.get_compiler(connection=connection)
            sql, _parameters = compiler.as_sql()
            self._compiled[key] = sql, compiler.get_converters(column for column, *_ in compiler.select)
        return self._compiled[key]


def _columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
