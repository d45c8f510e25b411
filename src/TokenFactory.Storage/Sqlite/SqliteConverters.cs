using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

/// <summary>UUIDv7 as 16 big-endian bytes: the byte order SQLite compares by is then the order of time.</summary>
internal sealed class GuidConverter() : ValueConverter<Guid, byte[]>(id => id.ToByteArray(true), bytes => new Guid(bytes, true));

/// <summary>Times as whole microseconds since 1970, UTC.</summary>
internal sealed class TimeConverter() : ValueConverter<DateTimeOffset, long>(time => Micros.Of(time), micros => Micros.ToTime(micros));

/// <summary>Days as whole days since 0001-01-01.</summary>
internal sealed class DayConverter() : ValueConverter<DateOnly, int>(day => day.DayNumber, number => DateOnly.FromDayNumber(number));
