using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Soak;

/// <summary>A file onto which the followed commits are put.</summary>
internal sealed class FollowedImage(string path, TextWriter said) : ICommitSink, IDisposable
{
    private const long Room = 256 << 20;

    private readonly SafeFileHandle file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Bytes in a page.</summary>
    public int PageSize { get; set; }

    /// <summary>Whether the file has everything up to the commits that come next.</summary>
    public bool IsComplete { get; set; }

    public CommitCollector Begin() => new(Room);

    public void Accept(CommitCollector commits)
    {
        said.WriteLine(FormattableString.Invariant($"commits {commits.Commits.Count}"));
        if (!IsComplete)
        {
            return;
        }

        if (!commits.HasPages)
        {
            Lost("more commits at once than there is room for");
            return;
        }

        foreach (var commit in commits.Commits)
        {
            foreach (var page in commit.Pages)
            {
                RandomAccess.Write(file, page.Content.Span, (page.Number - 1L) * PageSize);
            }

            RandomAccess.SetLength(file, commit.PageCount * (long)PageSize);
        }
    }

    public void Lost(string reason)
    {
        said.WriteLine("lost " + reason);
        IsComplete = false;
    }

    public void Dispose() => file.Dispose();
}
