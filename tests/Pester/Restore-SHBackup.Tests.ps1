Describe 'Restore-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $backup = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'brings a database back to a new file' {
        ($backup | Restore-SHBackup -Destination ./new.db -Force).Id | Should -Be $backup.Id
        (New-SHBackup ./new.db).Checksum | Should -Be $backup.Checksum
    }

    It 'keeps what it overwrites as a safety backup' {
        $backup | Restore-SHBackup -Destination ./app.db -Force
        (Get-SHBackup | Where-Object IsSafety) | Should -HaveCount 1
        (Get-SHBackup -Newest 1).Id | Should -Be $backup.Id
        $backup | Restore-SHBackup -Destination ./app.db -Force -NoSafetyBackup
        (Get-SHBackup | Where-Object IsSafety) | Should -HaveCount 1
    }

    It 'takes ids and files' {
        Restore-SHBackup $backup.Id ./one.db -Force
        Restore-SHBackup -LiteralPath $backup.BackupPath -Destination ./two.db -Force
        Get-Item $backup.BackupPath | Restore-SHBackup -Destination ./three.db -Force
        './one.db', './two.db', './three.db' | Should -Exist
    }

    It 'replaces nothing with -WhatIf' {
        $backup | Restore-SHBackup -Destination ./new.db -WhatIf
        './new.db' | Should -Not -Exist
    }

    It 'goes back to a moment, and says how far' {
        Edit-Database ./app.db
        $later = New-SHBackup ./app.db
        Restore-SHBackup -PointInTime $backup.Timestamp -Destination ./then.db -Force -InformationVariable said | Out-Null
        "$said" | Should -Match "$($backup.Id).* 0s before it"
        (New-SHBackup ./then.db -BackupDirectory ./then).Checksum | Should -Be $backup.Checksum
        (Restore-SHBackup -PointInTime (Get-Date) -Database app.db -Destination ./now.db -Force).Id | Should -Be $later.Id
    }

    It 'writes only what differs with -Delta' {
        Edit-Database ./app.db
        $backup | Restore-SHBackup -Destination ./app.db -Delta -Force -NoSafetyBackup
        (New-SHBackup ./app.db).PagesChecksum | Should -Be $backup.PagesChecksum
    }

    It 'brings single rows back into a database that lives on' {
        $rows = $backup | Restore-SHBackup -Table signals -Where 'id <= 5' -Into ./app.db -RowAction SideTable -Force
        $rows.Into | Should -Be "signals_$($backup.Id)"
        $rows.Inserted | Should -Be 5
        ($backup | Restore-SHBackup -Table signals -Into ./app.db -Force).Inserted | Should -Be 0
        { $backup | Restore-SHBackup -Table nonsense -Into ./app.db -Force -ErrorAction Stop } | Should -Throw -ErrorId 'TableNotFound,*'
    }

    It 'wants a destination with -Force' {
        { $backup | Restore-SHBackup -Force -ErrorAction Stop } | Should -Throw -ErrorId 'DestinationRequired,SignalHarvester.Backup.PowerShell.Commands.RestoreSHBackupCommand'
    }

    It 'does not restore a damaged backup' {
        Set-Content $backup.BackupPath 'damaged'
        { $backup | Restore-SHBackup -Destination ./new.db -Force -ErrorAction Stop } | Should -Throw -ErrorId 'BackupSizeMismatch,SignalHarvester.Backup.PowerShell.Commands.RestoreSHBackupCommand'
        './new.db' | Should -Not -Exist
    }
}
