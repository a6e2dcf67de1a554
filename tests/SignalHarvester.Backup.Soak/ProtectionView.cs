using System.Text.Json;

namespace SignalHarvester.Backup.Soak;

/// <summary>What a protection shows of itself.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="Seen">The last transaction that it has read.</param>
/// <param name="Stored">The last one that is stored, as it says.</param>
/// <param name="Look">When it looked at the database.</param>
/// <param name="ErrorId">What ended it.</param>
internal sealed record ProtectionView(string State, long Seen, long Stored, DateTimeOffset? Look, string? ErrorId)
{
    public static ProtectionView Parse(JsonElement status) => new(
        status.GetProperty("state").GetString()!,
        status.GetProperty("transaction").GetInt64(),
        status.GetProperty("stored_transaction").GetInt64(),
        status.TryGetProperty("last_look", out var look) ? look.GetDateTimeOffset() : null,
        status.TryGetProperty("error_id", out var errorId) ? errorId.GetString() : null);
}
