using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>Finds the newest of several backups for which a query has a row.</summary>
internal static class FindBackup
{
    /// <summary>Searches.</summary>
    /// <param name="sources">The backups.</param>
    /// <param name="options">The query, and its limits for each backup.</param>
    /// <param name="isMonotone">Whether from some moment on none has a row, and before it all have one: then few are asked.</param>
    /// <param name="failed">Called for each backup that could not be read. The search goes on without it.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for encrypted backups.</param>
    /// <returns>Null if none has a row.</returns>
    /// <exception cref="BackupException">QueryRefused, QueryLimitExceeded, InvalidArgument; QueryFailed if the query failed in every backup.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static BackupSource? Run(
        IReadOnlyList<BackupSource> sources, QueryOptions options, bool isMonotone, Action<BackupException> failed, OperationContext context)
    {
        List<BackupSource> ordered = [.. sources.DistinctBy(source => (source.Catalog, source.Backup.Id)).OrderByDescending(source => source.Backup.Order)];
        using var search = new Search(options, failed, context, ordered.Count);
        var found = isMonotone ? search.Bisect(ordered) : search.NewestFirst(ordered);
        return found ?? (search is { Answers: 0, Refusal: { } refusal } ? throw refusal : null);
    }

    private sealed class Search(QueryOptions options, Action<BackupException> failed, OperationContext context, int count) : IDisposable
    {
        private readonly ProgressMeter meter = context.Meter("Searching backups", count);

        /// <summary>How many backups have answered, with rows or without.</summary>
        public int Answers { get; private set; }

        /// <summary>Why the query has no answer in the first backup in which it has none.</summary>
        public BackupException? Refusal { get; private set; }

        public BackupSource? NewestFirst(List<BackupSource> sources) => sources.FirstOrDefault(source => HasRow(source) == true);

        public BackupSource? Bisect(List<BackupSource> sources)
        {
            List<BackupSource> left = [.. sources];
            BackupSource? found = null;
            while (left.Count > 0)
            {
                // The newest is asked first, because the search often ends there; then always the one in the middle.
                var middle = left.Count == sources.Count ? 0 : left.Count / 2;
                switch (HasRow(left[middle]))
                {
                    case true:
                        found = left[middle];
                        left.RemoveRange(middle, left.Count - middle);
                        break;
                    case false:
                        left.RemoveRange(0, middle + 1);
                        break;
                    default:
                        left.RemoveAt(middle);
                        break;
                }
            }

            return found;
        }

        public void Dispose() => meter.Dispose();

        /// <summary>Whether the query has a row in a backup; null if the backup could not be read.</summary>
        private bool? HasRow(BackupSource source)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            meter.Part = source.Backup.Id;
            meter.Advance(1);
            try
            {
                var hasRow = false;
                QueryBackup.Run(source, options, _ => !(hasRow = true), context);
                Answers++;
                context.Verbose($"'{source.Backup.Id}' has {(hasRow ? "a" : "no")} row for the query.");
                return hasRow;
            }
            catch (BackupException exception) when (exception.ErrorId == BackupErrorId.QueryFailed)
            {
                // An older version of the application had no such table: that is an answer too, unless no backup has the table.
                Refusal ??= exception;
                context.Verbose(exception.Message);
                return false;
            }
            catch (BackupException exception)
                when (exception.ErrorId is not (BackupErrorId.QueryRefused or BackupErrorId.QueryLimitExceeded or BackupErrorId.InvalidArgument))
            {
                failed(exception);
                return null;
            }
        }
    }
}
