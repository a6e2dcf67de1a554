namespace SignalHarvester.Backup.Sqlite.Images;

/// <summary>An image of a database whose pages can be read in any order. Nobody changes it. One thread at a time reads it.</summary>
internal interface IPageImage : IDisposable
{
    /// <summary>Bytes in a page, 512 to 65536.</summary>
    int PageSize { get; }

    /// <summary>Pages in the image.</summary>
    long PageCount { get; }

    /// <summary>Reads a page.</summary>
    /// <param name="page">Its number, from 1.</param>
    /// <param name="content">Takes the page, and has its size.</param>
    void Read(long page, Span<byte> content);
}
