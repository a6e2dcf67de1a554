Describe 'New-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'makes a verified zstd backup in ./backups' {
        $backup = New-SHBackup ./app.db
        $backup.Verified | Should -BeTrue
        $backup.Compression | Should -Be 'Zstd'
        $backup.BackupPath | Should -Exist
        (Get-SHBackup).Id | Should -Be $backup.Id
    }

    It 'takes what Get-ChildItem emits, odd names included' {
        Copy-Item ./app.db './[odd] name $1.db'
        $backups = Get-ChildItem *.db | New-SHBackup -NoVerify
        $backups | Should -HaveCount 2
        $backups.DatabasePath | Should -Contain (Get-Item -LiteralPath './[odd] name $1.db').FullName
    }

    It 'takes wildcards' {
        Copy-Item ./app.db ./other.db
        New-SHBackup *.db -NoVerify | Should -HaveCount 2
    }

    It 'goes on after a database that fails' {
        Set-Content ./broken.db 'no database, but a text that is long enough to be one'
        $backups = New-SHBackup ./broken.db, ./app.db -NoVerify -ErrorAction SilentlyContinue -ErrorVariable failed
        $backups | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'SourceNotSqlite,*'
    }

    It 'ends at the first that fails under $ErrorActionPreference Stop' {
        Set-Content ./broken.db 'no database, but a text that is long enough to be one'
        $ErrorActionPreference = 'Stop'
        { './broken.db', './app.db' | New-SHBackup -NoVerify } | Should -Throw -ErrorId 'SourceNotSqlite,*'
        Get-SHBackup | Should -BeNullOrEmpty
    }

    It 'makes no more than Select-Object -First wants' {
        Copy-Item ./app.db ./other.db
        './app.db', './other.db' | New-SHBackup -NoVerify | Select-Object -First 1 | Should -HaveCount 1
        Get-SHBackup | Should -HaveCount 1
    }

    It 'records description, policy and metadata' {
        New-SHBackup ./app.db -NoVerify -Description 'a note' -RetentionPolicy Weekly -Metadata @{ ticket = 'OPS-7'; count = 3 } | Out-Null
        $backup = Get-SHBackup
        $backup.Description | Should -Be 'a note'
        $backup.RetentionPolicy | Should -Be 'Weekly'
        $backup.Metadata.ticket | Should -Be 'OPS-7'
        $backup.Metadata.count | Should -Be 3
    }

    It 'writes <compression> as <suffix>' -ForEach @(
        @{ Compression = 'None'; Suffix = '.db' }
        @{ Compression = 'Gzip'; Suffix = '.db.gz' }
        @{ Compression = 'Zstd'; Suffix = '.db.zst' }
    ) {
        (New-SHBackup ./app.db -Compression $Compression).BackupPath | Should -BeLike "*_full$Suffix"
    }

    It 'refuses level <level> of <compression>' -ForEach @(
        @{ Compression = 'Zstd'; Level = 20 }
        @{ Compression = 'Gzip'; Level = 10 }
        @{ Compression = 'None'; Level = 1 }
    ) {
        { New-SHBackup ./app.db -Compression $Compression -CompressionLevel $Level -ErrorAction Stop } |
            Should -Throw -ErrorId 'InvalidArgument,SignalHarvester.Backup.PowerShell.Commands.NewSHBackupCommand'
    }

    It 'builds on the newest backup, or on the one it is given, with -Type <_>' -ForEach 'Incremental', 'Auto', 'Wal' {
        $full = New-SHBackup ./app.db
        Edit-Database ./app.db
        $first = New-SHBackup ./app.db -Type $_
        $first.ParentId | Should -Be $full.Id
        if ($_ -ne 'Auto') { (New-SHBackup ./app.db -Type $_ -Parent $full).ParentId | Should -Be $full.Id }
        (Get-SHBackup | Test-SHBackup).Verified | Should -Not -Contain $false
    }

    It 'makes nothing with -WhatIf' {
        New-SHBackup ./app.db -WhatIf | Should -BeNullOrEmpty
        './backups' | Should -Not -Exist
    }

    It 'names a missing database' {
        { New-SHBackup ./missing.db -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,SignalHarvester.Backup.PowerShell.Commands.NewSHBackupCommand'
    }
}
