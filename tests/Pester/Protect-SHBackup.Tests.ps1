Describe 'Protect-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $old = New-SHBackupKey ./old.key
        $new = New-SHBackupKey ./new.key
        $backup = New-SHBackup ./app.db -Recipient $old
    }
    AfterEach { Exit-Workspace }

    It 'lets another key open a backup, and the former no more' {
        $rewrapped = $backup | Protect-SHBackup -Recipient $new -IdentityFile ./old.key
        $rewrapped.Id | Should -Be $backup.Id
        $rewrapped.Recipients | Should -Be $new.Recipient
        (Test-SHBackup $backup.Id -IdentityFile ./new.key).Verified | Should -BeTrue
        { Test-SHBackup $backup.Id -IdentityFile ./old.key -ErrorAction Stop } | Should -Throw -ErrorId 'IdentityWrong,*'
    }

    It 'lets several keys open a backup' {
        ($backup | Protect-SHBackup -Recipient $old, $new -IdentityFile ./old.key).Recipients | Should -HaveCount 2
    }

    It 'refuses a backup that is not encrypted' {
        $plain = New-SHBackup ./app.db
        { $plain | Protect-SHBackup -Recipient $new -ErrorAction Stop } | Should -Throw -ErrorId 'BackupNotEncrypted,*'
    }

    It 'changes nothing with -WhatIf' {
        $backup | Protect-SHBackup -Recipient $new -IdentityFile ./old.key -WhatIf | Should -BeNullOrEmpty
        (Get-SHBackup $backup.Id).Recipients | Should -Be $old.Recipient
    }
}
